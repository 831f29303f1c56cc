import type { Moment } from '../../audit/moments.ts'
import type { Connection } from '../../engine/engine.ts'
import { InvalidQueryError } from '../../errors.ts'
import { isId } from '../../model/record-id.ts'
import { secretMark } from '../../model/record-json.ts'
import type { FieldValues } from '../../query/bound-table.ts'
import { readCursor } from '../../query/cursor.ts'
import { allOf, equals, type Filter, oneOf } from '../../query/filter.ts'
import type { SortKey } from '../../query/order.ts'
import { type Page, pageOf, walk } from '../../query/page.ts'
import { recordTest } from '../../query/record-test.ts'
import { countRows, selectRows } from '../../query/rows.ts'
import { reversed, seeksAfter, seeksFromStart } from '../../query/seek.ts'
import { conditionOf, type Selection } from '../../query/select.ts'
import { settleLinks } from '../../query/settle-links.ts'
import { piecesOf } from '../../query/shape.ts'
import { recordOrder } from '../../query/value-order.ts'
import { parseWhere } from '../../query/where.ts'
import type { CallerContext } from '../../session/context.ts'
import type { Task } from '../../session/task.ts'
import type { BoundAccessor } from '../bound-accessor.ts'
import { isHeld, modelFor, withoutHidden } from '../permit.ts'
import { parseProjection, project } from '../projection.ts'
import { type PageQuestion, pageSelection, type Question, selectOptions } from '../read.ts'
import { eachChanged, erased, shownImage, stateSince, tooManyChanged } from './past-images.ts'

/** The record with this id as it was, or null. Throws GoneError where that is not known any more. */
export async function getPast(bound: BoundAccessor, time: Date, id: unknown, question: Question): Promise<FieldValues | null> {
  const { model } = bound
  const condition = parseWhere(modelFor(bound, question), question.where)
  const projection = parsePastProjection(bound, question)
  if (!isId(model, id)) return null
  const known = model.id.normalise(id)
  const selection = { filter: allOf(equals(model.id.name, known), condition), includeDeleted: question.includeDeleted ?? false }
  return readPast(bound, time, question, function* (connection, context, moment) {
    const state = yield* stateSince(bound, connection, context, moment, known)
    if (state?.type === 'erased' && (yield* mayKnow(bound, connection, context, known))) throw erased(bound, known)
    const found = state
      ? yield* visible(bound, connection, context, selection, state.type === 'record' ? [shownImage(bound, state.image)] : [])
      : yield* selectRows(bound.table, connection, context, { ...selection, order: [] })
    return shown(bound, context, found, projection)[0] ?? null
  })
}

/** The records that a question asks for, as they were. */
export async function findPast(bound: BoundAccessor, time: Date, question: Question): Promise<FieldValues[]> {
  const { order: keys, limit, offset, ...selection } = selectOptions(bound, question)
  const projection = parsePastProjection(bound, question)
  return readPast(bound, time, question, function* (connection, context, moment) {
    const changed = yield* changedRecords(bound, connection, context, moment, selection)
    const most = limit ?? Number.MAX_SAFE_INTEGER
    return shown(bound, context, yield* placed(bound, connection, context, changed, { keys, limit: most, offset: offset ?? 0 }), projection)
  })
}

/** One page of the records that a question asks for, as they were, with the total unless `count` is `none`. */
export async function pagePast(bound: BoundAccessor, time: Date, question: PageQuestion): Promise<Page & { total?: number }> {
  const { keys, limit, offset = 0, after, before, filter, includeDeleted } = pageSelection(bound, question)
  const projection = parsePastProjection(bound, question)
  const options = { filter, includeDeleted, keys, limit, offset, after, before }
  return readPast(bound, time, question, function* (connection, context, moment) {
    const changed = yield* changedRecords(bound, connection, context, moment, { filter, includeDeleted })
    const cursor = after ?? before
    let found: FieldValues[] = []
    if (limit > 0)
      found =
        cursor === undefined
          ? yield* placed(bound, connection, context, changed, { keys, limit: limit + 1, offset })
          : yield* beyond(bound, connection, context, changed, { keys, limit: limit + 1, cursor, backward: before !== undefined })
    const page = limit > 0 ? pageOf(bound.table, options, found) : { rows: [] }
    const answer = { ...page, rows: shown(bound, context, page.rows, projection) }
    if (question.count === 'none') return answer
    return { ...answer, total: yield* total(bound, connection, context, changed) }
  })
}

/** How many records held a condition. */
export async function countPast(bound: BoundAccessor, time: Date, question: Question): Promise<number> {
  const selection = { filter: parseWhere(modelFor(bound, question), question.where), includeDeleted: question.includeDeleted ?? false }
  return readPast(bound, time, question, function* (connection, context, moment) {
    return yield* total(bound, connection, context, yield* changedRecords(bound, connection, context, moment, selection))
  })
}

/** Reads one moment of the database, in which an instant of its past is looked for: committed data only, also inside a transaction. */
export async function readPast<T>(
  bound: BoundAccessor,
  time: Date,
  question: Question,
  body: (connection: Connection, context: CallerContext, moment: Moment) => Task<T>,
): Promise<T> {
  const { moments, units } = bound
  const moment = await moments.at(time)
  return await units.readMoment(question, function* (connection, context) {
    yield* moments.requireRetained(connection, moment)
    return yield* body(connection, context, moment)
  })
}

function parsePastProjection(bound: BoundAccessor, question: Question): ReturnType<typeof parseProjection> {
  if (Object.values(question.include ?? {}).some(Boolean))
    throw new InvalidQueryError(
      'Nothing is read along with records of the past: leave include out, and ask for the others at the same time.',
    )
  return parseProjection(bound, question, [])
}

/** Changed records of an answer, or of its count, whose images are held in memory. */
const mostImages = 100_000

/** What was changed since, as far as it is asked for, and the selection of what was not. */
interface Changed {
  readonly records: FieldValues[]
  readonly unchanged: Selection
}

function* changedRecords(
  bound: BoundAccessor,
  connection: Connection,
  context: CallerContext,
  moment: Moment,
  selection: Selection,
): Task<Changed> {
  const records: FieldValues[] = []
  yield* eachChanged(bound, connection, context, moment, function* (images) {
    const shownImages = images.map((image) => shownImage(bound, image))
    for (const record of yield* visible(bound, connection, context, selection, shownImages)) records.push(record)
    if (records.length > mostImages) throw tooManyChanged(mostImages, 'of these records', moment)
  })
  const filter: Filter = { type: 'unchanged', log: bound.moments.log, component: bound.component, position: moment.position }
  return { records, unchanged: { ...selection, filter: allOf(selection.filter, filter) } }
}

/**
 * Those images that are asked for and that the caller may see: the rules hold for what the record was, and for what it is now where it
 * still is there.
 */
export function* visible(
  bound: BoundAccessor,
  connection: Connection,
  context: CallerContext,
  selection: Selection,
  images: readonly FieldValues[],
): Task<FieldValues[]> {
  if (images.length === 0) return []
  const condition = yield* settleLinks(conditionOf(bound.table, context, selection), connection, images)
  const matching = images.filter(recordTest(bound.model, condition))
  if (matching.length === 0 || !isHeld(bound, { ...context, asked: true })) return matching
  const { name } = bound.model.id
  const ids = matching.map((record) => record[name])
  const there = yield* idsThere(bound, connection.heldTo('every'), undefined, ids)
  const readable = yield* idsThere(bound, connection, context, ids)
  return matching.filter((record) => !there.has(record[name]) || readable.has(record[name]))
}

/** Whether the caller may hear that something of this record was erased: it reads the record, or is held to nothing. */
function* mayKnow(bound: BoundAccessor, connection: Connection, context: CallerContext, id: unknown): Task<boolean> {
  if (!isHeld(bound, { ...context, asked: true })) return true
  return (yield* idsThere(bound, connection, context, [id])).size > 0
}

/** Which of these ids have a record now, deleted ones included: at all, or for a caller. */
export function* idsThere(
  { model, table }: BoundAccessor,
  connection: Connection,
  context: CallerContext | undefined,
  ids: readonly unknown[],
): Task<Set<unknown>> {
  const { name } = model.id
  const found = new Set<unknown>()
  for (const piece of piecesOf(ids, 256)) {
    const selection = { filter: oneOf(name, piece), includeDeleted: true, order: [], columns: [name] }
    for (const row of yield* selectRows(table, connection, context, selection)) found.add(row[name])
  }
  return found
}

/** A stretch of the records in their order: what was not changed comes from the table, what was changed from the log. */
function* placed(
  bound: BoundAccessor,
  connection: Connection,
  context: CallerContext,
  { records, unchanged }: Changed,
  { keys, limit, offset }: { readonly keys: readonly SortKey[]; readonly limit: number; readonly offset: number },
): Task<FieldValues[]> {
  // Before the place there are at least so many that were not changed.
  const skipped = Math.max(0, offset - records.length)
  const wanted = Math.min(limit + offset - skipped, Number.MAX_SAFE_INTEGER)
  const rows =
    skipped > 0 || wanted > mostSought
      ? yield* selectRows(bound.table, connection, context, { ...unchanged, order: keys, limit: wanted, offset: skipped })
      : yield* walk(bound.table, connection, context, { ...unchanged, limit: wanted - 1 }, seeksFromStart(bound.model, keys))
  const merged = merge(bound, keys, rows, records)
  return merged.slice(offset - skipped, offset - skipped + limit)
}

/** Records from which on one statement is as good as several. */
const mostSought = 10_000

/** The records next to a cursor, in the direction of the reading. */
function* beyond(
  bound: BoundAccessor,
  connection: Connection,
  context: CallerContext,
  { records, unchanged }: Changed,
  options: { readonly keys: readonly SortKey[]; readonly limit: number; readonly cursor: string; readonly backward: boolean },
): Task<FieldValues[]> {
  const { model, table } = bound
  const place = readCursor(table, options.keys, options.cursor)
  const keys = options.backward ? reversed(options.keys) : options.keys
  const rows = yield* walk(table, connection, context, { ...unchanged, limit: options.limit - 1 }, seeksAfter(table, keys, place))
  const compare = recordOrder(model, keys)
  const start = Object.fromEntries(keys.map(({ field }, index) => [field, place[index]]))
  const behind = records.filter((record) => compare(record, start) > 0)
  return merge(bound, keys, rows, behind).slice(0, options.limit)
}

/** Puts two lists into one order, of which the first is in it already. */
function merge(
  bound: BoundAccessor,
  keys: readonly SortKey[],
  rows: readonly FieldValues[],
  changed: readonly FieldValues[],
): FieldValues[] {
  if (changed.length === 0) return [...rows]
  const compare = recordOrder(bound.model, keys)
  const others = changed.toSorted(compare)
  const merged: FieldValues[] = []
  let next = 0
  for (const row of rows) {
    for (let other = others[next]; other && compare(other, row) < 0; other = others[next]) {
      merged.push(other)
      next++
    }
    merged.push(row)
  }
  for (; next < others.length; next++) merged.push(others[next] as FieldValues)
  return merged
}

function* total(bound: BoundAccessor, connection: Connection, context: CallerContext, { records, unchanged }: Changed): Task<number> {
  return records.length + (yield* countRows(bound.table, connection, context, unchanged))
}

/** Records as they are answered: what is secret now was never in the log, so it is the same mark for all of them. */
function shown(
  bound: BoundAccessor,
  context: CallerContext,
  records: readonly FieldValues[],
  projection: ReturnType<typeof parseProjection>,
): FieldValues[] {
  const secrets = bound.model.fields.filter(({ secret }) => secret)
  for (const record of records) for (const { name } of secrets) record[name] = secretMark
  withoutHidden(bound, context, records)
  return project(records, projection)
}
