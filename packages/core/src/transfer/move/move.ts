import type { DatabasePlace, Engine, Snapshot } from '../../engine/engine.ts'
import { type MovedRows, type MoveTarget, openMoveTarget } from '../../engine/move-target.ts'
import { openSnapshot } from '../../engine/open-snapshot.ts'
import { ConflictError, StrongroomError } from '../../errors.ts'
import { createBareTables, createTableStatements, type NamedTable, tableReferences } from '../../schema/wanted-table.ts'
import { hashContent } from './content-hash.ts'
import { type MovedTables, readTables } from './moved-tables.ts'

/** How far a move is. */
export interface MoveProgress {
  readonly phase: 'copying' | 'verifying'
  readonly table: string
  /** Records of all tables that are done with. */
  readonly rows: number
  readonly total: number
}

/** A table that is in both databases now. */
export interface MovedTable {
  readonly table: string
  readonly rows: number
  /** SHA-256 over its records in turn, in hexadecimal; the same was computed of both databases. */
  readonly sha256: string
}

/** What a move came to. */
export interface MoveReport {
  readonly tables: readonly MovedTable[]
  /** It went on with a move that had been ended before. */
  readonly resumed: boolean
}

/** A move that is to be done. */
export interface Move {
  readonly source: Engine
  readonly target: DatabasePlace
  /** What is known of the tables beside what the source remembers. */
  readonly known: readonly NamedTable[]
  readonly leaveOthers: boolean
  readonly restart: boolean
  /** Is waited for after each batch; a throw ends the move there. */
  readonly onProgress: (progress: MoveProgress) => Promise<void>
}

/**
 * Rows that are read at a time. Of a large batch much is still in use when the heap is tidied up, and moves to where it is tidied up seldom:
 * with 200 a process took 60 MB more than with 50, and was no quicker (measured).
 */
const piece = 50

/** Batches that are committed together. A row in more than one batch would cost another answer of the server, and another write of its page. */
const keptTogether = 40

/** Copies everything of a database into an empty one, and proves that it is the same. */
export async function move(given: Move): Promise<MoveReport> {
  const snapshot = await openSnapshot(given.source.place)
  try {
    const moved = await readTables(given.source, snapshot, given)
    const resumed = await withTarget(given.target, (target) => copy(given, snapshot, moved, target))
    const tables = await compare(given, snapshot, moved)
    await withTarget(given.target, (target) => target.finish())
    return { tables, resumed }
  } finally {
    await snapshot.close()
  }
}

async function withTarget<T>(place: DatabasePlace, work: (target: MoveTarget) => Promise<T>): Promise<T> {
  const target = await openMoveTarget(place)
  try {
    return await work(target)
  } finally {
    await target.close()
  }
}

/** Brings all rows over. Answers whether an earlier move had begun with that. */
async function copy(given: Move, snapshot: Snapshot, moved: MovedTables, target: MoveTarget): Promise<boolean> {
  const statements = statementsFor(moved.tables, target)
  const notes = await begin(given, moved, target, statements.first)
  const total = sum(moved)
  let done = [...notes.tables.values()].reduce((rows, table) => rows + table.rows, 0)
  for (const table of moved.tables) {
    const sofar = notes.tables.get(table.name) ?? { rows: 0, last: null }
    if (notes.whole || sofar.rows >= (moved.counts.get(table.name) ?? 0)) continue
    await copyTable(given, { snapshot, target, table, sofar }, (rows) => {
      done += rows
      return given.onProgress({ phase: 'copying', table: table.name, rows: done, total })
    })
  }
  if (notes.whole) return true
  const counted = moved.tables.filter(({ definition }) => definition.id.type === 'integer')
  await target.complete(
    statements.last,
    await Promise.all(
      counted.map(async ({ name, definition: { id } }) => ({
        table: name,
        idColumn: id.name,
        last: await snapshot.lastCountedId(name, id.name),
      })),
    ),
  )
  return notes.resumed
}

interface Begun {
  readonly resumed: boolean
  readonly whole: boolean
  readonly tables: ReadonlyMap<string, MovedRows>
}

async function begin({ restart }: Move, moved: MovedTables, target: MoveTarget, statements: readonly string[]): Promise<Begun> {
  const notes = await target.notes()
  const standing = await target.tables()
  if (notes && !restart) {
    if (notes.about === moved.about) return { resumed: true, whole: notes.whole, tables: notes.tables }
    throw new ConflictError(
      'state_conflict',
      'A move into this target was begun from what the source does not hold any more, or from another one. Say restart to begin anew: what is there of it is removed.',
    )
  }
  if (notes) await target.clear(standing)
  else if (standing.length > 0) {
    throw new ConflictError(
      'state_conflict',
      `The target is not empty: it has ${standing.slice(0, 5).join(', ')}${standing.length > 5 ? ` and ${standing.length - 5} more` : ''}. Move into an empty database.`,
    )
  }
  await target.begin(statements, moved.about)
  return { resumed: false, whole: false, tables: new Map() }
}

/** Indexes are made when the rows are there, which is quicker. */
function statementsFor(
  tables: readonly NamedTable[],
  { definer, referencesLast }: MoveTarget,
): { readonly first: string[]; readonly last: string[] } {
  const all = referencesLast ? createBareTables(tables, definer) : createTableStatements(tables, definer)
  const isIndex = (sql: string): boolean => /^CREATE (?:UNIQUE )?INDEX/.test(sql)
  return {
    first: all.filter((sql) => !isIndex(sql)),
    last: [...all.filter(isIndex), ...(referencesLast ? tableReferences(tables, definer) : [])],
  }
}

interface TableCopy {
  readonly snapshot: Snapshot
  readonly target: MoveTarget
  readonly table: NamedTable
  readonly sofar: MovedRows
}

async function copyTable(
  { source }: Move,
  { snapshot, target, table, sofar }: TableCopy,
  onRows: (count: number) => Promise<void>,
): Promise<void> {
  const { id, fields } = table.definition
  const columns = [[id.name, id] as const, ...Object.entries(fields)].map(([name, field]) => {
    const kind = { kind: field.type, ...('scale' in field && field.scale !== undefined && { scale: field.scale }) }
    return { name, decode: snapshot.codec(kind).decode, encode: target.codec(kind).encode }
  })
  const names = columns.map(({ name }) => name)
  const all = source.builder.selectFrom(table.name).select(names)
  const rest = sofar.last === null ? all : all.where(id.name, '>', snapshot.codec({ kind: id.type }).encode(JSON.parse(sofar.last)))
  const load = target.load(table.name, names)
  let { rows } = sofar
  let last: string | undefined
  let batches = 0
  for await (const batch of snapshot.stream(rest.orderBy(id.name).compile(), piece)) {
    const copied = batch.map((row) =>
      columns.map(({ name, decode, encode }) => {
        const stored = row[name] ?? null
        return stored === null ? null : encode(decode(stored))
      }),
    )
    await load.add(copied)
    rows += batch.length
    last = JSON.stringify(columns[0]?.decode(batch.at(-1)?.[id.name]))
    if (++batches % keptTogether === 0) await load.keep({ rows, last })
    await onRows(batch.length)
  }
  if (last !== undefined) await load.keep({ rows, last })
}

/** Hashes each table of both databases. Throws where they are not the same. */
async function compare({ source, target, onProgress }: Move, snapshot: Snapshot, moved: MovedTables): Promise<MovedTable[]> {
  const arrived = await openSnapshot(target)
  const different: string[] = []
  const tables: MovedTable[] = []
  // Each record is read once here and once there.
  const total = sum(moved) * 2
  let done = 0
  try {
    for (const table of moved.tables) {
      const { name, definition } = table
      const onRows = (count: number): Promise<void> => {
        done += count
        return onProgress({ phase: 'verifying', table: name, rows: done, total })
      }
      const here = await hashContent(snapshot, table, onRows)
      const there = await hashContent(arrived, table, onRows)
      const { id } = definition
      const counter = async (of: Snapshot): Promise<number> => (id.type === 'integer' ? await of.lastCountedId(name, id.name) : 0)
      if (here.rows !== there.rows) different.push(`${name} has ${here.rows} records in the source and ${there.rows} in the target`)
      else if (here.sha256 !== there.sha256) different.push(`${name} has other records in the target`)
      else if ((await counter(snapshot)) !== (await counter(arrived)))
        different.push(`${name} counts its ids from another number in the target`)
      tables.push({ table: name, ...here })
    }
  } finally {
    await arrived.close()
  }
  if (different.length === 0) return tables
  const engines = `${source.place.engine} and ${target.engine}`
  throw new StrongroomError(
    'internal_error',
    `The databases (${engines}) are not the same: ${different.join('; ')}. Do not use the target.`,
  )
}

function sum({ counts }: MovedTables): number {
  return [...counts.values()].reduce((all, count) => all + count, 0)
}
