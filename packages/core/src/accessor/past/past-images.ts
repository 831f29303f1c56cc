import { setImmediate as nextTurn } from 'node:timers/promises'
import { completeImage, readImage } from '../../audit/image-reader.ts'
import type { Moment } from '../../audit/moments.ts'
import type { Connection } from '../../engine/engine.ts'
import { GoneError, InvalidQueryError } from '../../errors.ts'
import { parseId } from '../../model/record-id.ts'
import type { FieldValues } from '../../query/bound-table.ts'
import { allOf, equals, type Filter } from '../../query/filter.ts'
import { positionField } from '../../query/log-position.ts'
import type { SortKey } from '../../query/order.ts'
import { selectPage } from '../../query/page.ts'
import { selectRows } from '../../query/rows.ts'
import type { CallerContext } from '../../session/context.ts'
import { type Task, wait } from '../../session/task.ts'
import type { BoundAccessor } from '../bound-accessor.ts'

/** A record at a moment: as its image has it, not there, or not to be known any more. */
export type PastState = { readonly type: 'record'; readonly image: FieldValues } | { readonly type: 'absent' } | { readonly type: 'erased' }

/** Entries that are read at a time. */
const batchSize = 1_000

/** Ids of changed records that are held in memory: some hundred bytes for each. */
const mostChanged = 1_000_000

/** What is read of an entry to know what was before it. */
export const stateColumns = ['id', positionField, 'record_id', 'operation', 'before']

/** The log is read whole, for whoever asks: what may be seen is decided by what it says. */
function reader(context: CallerContext | undefined): CallerContext {
  return { principal: undefined, tenant: null, access: 'system', ...(context?.time && { time: context.time }) }
}

/**
 * The entries of a component that came after a moment, in the order of history: those that have a position, and then those that wait for
 * it. Each is asked for by itself: what holds for one of both is found by no index, and all entries of a component would be gone through.
 */
export function entriesSince(component: string, { position }: Pick<Moment, 'position'>): readonly Filter[] {
  const later: Filter = { type: 'compare', field: positionField, comparison: 'gt', value: position }
  return [later, equals(positionField, null)].map((part) => allOf(equals('component', component), part))
}

/** The order of history. */
export const historyKeys: readonly SortKey[] = [positionField, 'id'].map((field) => ({ field, descending: false }))

/**
 * Hands over what the records that were changed since a moment were at that moment, batch by batch; records without an image are left out.
 * The cost grows with the entries that came since.
 */
export function* eachChanged(
  bound: BoundAccessor,
  connection: Connection,
  context: CallerContext,
  moment: Moment,
  use: (images: readonly FieldValues[]) => Task<void>,
): Task<void> {
  const seen = new Set<string>()
  for (const filter of entriesSince(bound.component, moment)) yield* eachIn(bound, connection, context, { moment, filter, seen }, use)
}

/** @param part which entries, and the records of which an earlier one was seen */
function* eachIn(
  bound: BoundAccessor,
  connection: Connection,
  context: CallerContext,
  { moment, filter, seen }: { readonly moment: Moment; readonly filter: Filter; readonly seen: Set<string> },
  use: (images: readonly FieldValues[]) => Task<void>,
): Task<void> {
  const selection = { filter, includeDeleted: true, keys: historyKeys, columns: stateColumns, limit: batchSize }
  for (let cursor: string | undefined; ; ) {
    const page = yield* selectPage(bound.moments.log, connection, reader(context), { ...selection, after: cursor })
    const images: FieldValues[] = []
    for (const entry of page.rows) {
      const id = String(entry['record_id'])
      // The first entry after the moment tells what was before it.
      if (seen.has(id)) continue
      if (seen.size >= mostChanged) throw tooManyChanged(mostChanged, 'records', moment)
      seen.add(id)
      const state = stateBefore(bound, entry)
      if (state.type === 'record') images.push(state.image)
    }
    if (images.length > 0) yield* use(images)
    cursor = page.next
    if (cursor === undefined) return
    yield* wait(nextTurn())
  }
}

/**
 * What a record was at a moment, as the log has it; undefined where nothing has changed it since, and it is what it is now. The cost grows
 * with the record's entries that came since.
 */
export function* stateSince(
  bound: BoundAccessor,
  connection: Connection,
  context: CallerContext | undefined,
  moment: Moment,
  id: unknown,
): Task<PastState | undefined> {
  const first = yield* firstAfter(bound, connection, context, moment, id)
  return first && stateBefore(bound, first)
}

/** For each record ids and positions have the same order, so the entries are walked from the last one back, which an index can. */
function* firstAfter(
  bound: BoundAccessor,
  connection: Connection,
  context: CallerContext | undefined,
  { position }: Moment,
  id: unknown,
): Task<FieldValues | undefined> {
  const { log } = bound.moments
  const ofRecord = entriesOf(bound, id)
  const order = [{ field: 'id', descending: true }]
  let first: FieldValues | undefined
  for (let limit = 16; ; limit = batchSize) {
    const earlier: Filter | undefined = first && { type: 'compare', field: 'id', comparison: 'lt', value: first['id'] }
    const filter = earlier ? allOf(ofRecord, earlier) : ofRecord
    const options = { filter, includeDeleted: true, order, limit, columns: [...new Set(['id', positionField])] }
    const entries = yield* selectRows(log, connection, reader(context), options)
    for (const entry of entries) {
      const place = entry[positionField]
      if (place !== null && Number(place) <= position) return yield* wholeEntry(bound, connection, context, first)
      first = entry
    }
    if (entries.length < limit) return yield* wholeEntry(bound, connection, context, first)
  }
}

function* wholeEntry(
  { moments: { log } }: BoundAccessor,
  connection: Connection,
  context: CallerContext | undefined,
  entry: FieldValues | undefined,
): Task<FieldValues | undefined> {
  if (!entry) return undefined
  const options = { filter: equals('id', entry['id']), includeDeleted: true, order: [], columns: stateColumns }
  return (yield* selectRows(log, connection, reader(context), options))[0]
}

/** The entries about a record. */
export function entriesOf({ component }: BoundAccessor, id: unknown): Filter {
  return allOf(equals('component', component), equals('record_id', String(id)))
}

/** What a record was before an entry. Only the first entry of a record has nothing before it; every other one has lost it. */
export function stateBefore(bound: BoundAccessor, entry: FieldValues): PastState {
  return stateOf(bound, entry, entry['before'], entry['operation'] === 'create')
}

const removing = new Set(['delete', 'purge'])

/** What a record was after an entry. */
export function stateAfter(bound: BoundAccessor, entry: FieldValues): PastState {
  return stateOf(bound, entry, entry['after'], removing.has(String(entry['operation'])))
}

function stateOf({ model }: BoundAccessor, entry: FieldValues, text: unknown, isAbsent: boolean): PastState {
  if (isAbsent) return { type: 'absent' }
  if (typeof text !== 'string') return { type: 'erased' }
  const image = readImage(model, text)
  // The model may have got another name for its id since.
  image[model.id.name] = parseId(model, String(entry['record_id']))
  return image[model.id.name] === undefined ? { type: 'absent' } : { type: 'record', image }
}

/** A record as it is shown: null for what its image does not have. */
export function shownImage({ model }: BoundAccessor, image: FieldValues): FieldValues {
  return completeImage(model, image)
}

/** A past that would take too much memory to put together. */
export function tooManyChanged(most: number, what: string, { time }: Moment): InvalidQueryError {
  const count = most.toLocaleString('en')
  return new InvalidQueryError(
    `More than ${count} ${what} have changed since ${time.toISOString()}. Ask for a later time, or narrow the filter.`,
  )
}

/** What answers for a record whose past was erased. */
export function erased({ component }: BoundAccessor, id: unknown): GoneError {
  return new GoneError(`The history of ${component} ${String(id)} at that time was erased.`)
}
