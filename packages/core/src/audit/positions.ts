import type { Connection, StoredRow } from '../engine/engine.ts'
import type { BoundTable, FieldValues } from '../query/bound-table.ts'
import { everything, type Filter, oneOf } from '../query/filter.ts'
import { bind, Slot, shapeOf } from '../query/shape.ts'
import { type Task, wait } from '../session/task.ts'

/**
 * How entries are found by their positions. Where units overlap, an index has these. Elsewhere the index of each component's entries does,
 * which they are found by, component by component: an index of its own would cost every write a page, and positions are mostly ids.
 */

/** The components that the log tells of, one after the other: an index knows the next one at once, and all entries would take long. */
export function* componentsIn({ model, engine, shapes }: BoundTable, connection: Connection): Task<string[]> {
  const shape = shapes.get('next component', () => {
    const entries = engine.builder.selectFrom(model.name).select('component')
    return shapeOf(entries.where('component', '>', new Slot(0)).orderBy('component').limit(1).compile())
  })
  const components: string[] = []
  for (;;) {
    // No component has an empty name.
    const [row] = yield* wait(connection.all(bind(shape, [components.at(-1) ?? ''])))
    if (!row) return components
    components.push(String(row['component']))
  }
}

/** Holds for every entry: beside a condition on positions, it has them found without an index of these alone. */
export function* ofAnyComponent(log: BoundTable, connection: Connection): Task<Filter> {
  return hasOwnIndex(log) ? everything : oneOf('component', yield* componentsIn(log, connection))
}

/** Whether positions have an index of their own. */
export function hasOwnIndex({ engine }: BoundTable): boolean {
  return !engine.capabilities.serialWrites
}

/** What is known of the entry at a position. */
export interface PlacedEntry {
  readonly seq: number
  readonly hash: Uint8Array
  readonly effective_at: Date
}

/** The entry at a position, or the last one before: a restore passes over positions. */
export function lastUpTo(log: BoundTable, connection: Connection, position: number): Task<PlacedEntry | undefined> {
  return nearest(log, connection, position, 'lastUpTo')
}

/** The entry at a position, or the first one after it. */
export function firstFrom(log: BoundTable, connection: Connection, position: number): Task<PlacedEntry | undefined> {
  return nearest(log, connection, position, 'firstFrom')
}

const placedColumns = ['seq', 'hash', 'effective_at'] as const

const sides = {
  lastUpTo: { comparison: '<=', direction: 'desc', isNearer: (one: number, other: number) => one > other },
  firstFrom: { comparison: '>=', direction: 'asc', isNearer: (one: number, other: number) => one < other },
} as const

function* nearest(log: BoundTable, connection: Connection, position: number, side: keyof typeof sides): Task<PlacedEntry | undefined> {
  const { engine, model, shapes } = log
  const { comparison, direction, isNearer } = sides[side]
  const entries = () => engine.builder.selectFrom(model.name).select(placedColumns)
  if (hasOwnIndex(log)) {
    const all = shapes.get(`entry ${side}`, () =>
      shapeOf(entries().where('seq', comparison, new Slot(0)).orderBy('seq', direction).limit(1).compile()),
    )
    const [row] = yield* wait(connection.all(bind(all, [position])))
    return row && placed(log, row)
  }
  // In a log that began here the two are the same, unless something is wrong with it.
  const guess = shapes.get('entry by id and position', () =>
    shapeOf(entries().where('id', '=', new Slot(0)).where('seq', '=', new Slot(0)).compile()),
  )
  const [guessed] = yield* wait(connection.all(bind(guess, [position])))
  if (guessed) return placed(log, guessed)
  const ofComponent = shapes.get(`entry ${side}`, () =>
    shapeOf(
      entries().where('component', '=', new Slot(0)).where('seq', comparison, new Slot(1)).orderBy('seq', direction).limit(1).compile(),
    ),
  )
  let found: StoredRow | undefined
  for (const component of yield* componentsIn(log, connection)) {
    const [row] = yield* wait(connection.all(bind(ofComponent, [component, position])))
    if (row && (!found || isNearer(Number(row['seq']), Number(found['seq'])))) found = row
  }
  return found && placed(log, found)
}

function placed(log: BoundTable, row: StoredRow): PlacedEntry {
  // The row was read through AuditLog, whose fields have these types; an entry with a position has the rest of its place too.
  return log.decode(row) as FieldValues & PlacedEntry
}
