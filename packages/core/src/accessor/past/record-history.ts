import { limitsOf } from '../../access/audit-access.ts'
import { type AuditEntry, auditEntry } from '../../audit/entry.ts'
import { readImage } from '../../audit/image-reader.ts'
import { shownEntry } from '../../audit/shown-entry.ts'
import type { Connection } from '../../engine/engine.ts'
import { InvalidQueryError } from '../../errors.ts'
import { isId } from '../../model/record-id.ts'
import type { FieldValues } from '../../query/bound-table.ts'
import { writeCursor } from '../../query/cursor.ts'
import { allOf, equals, everything, type Filter } from '../../query/filter.ts'
import { selectPage } from '../../query/page.ts'
import { wholeNumber } from '../../query/whole-number.ts'
import type { CallerContext } from '../../session/context.ts'
import type { ReadOptions } from '../../session/options.ts'
import type { Task } from '../../session/task.ts'
import type { BoundAccessor } from '../bound-accessor.ts'
import { isHeld, modelFor } from '../permit.ts'
import { entriesOf, shownImage } from './past-images.ts'
import { idsThere } from './read-past.ts'
import { readableImages } from './readable-images.ts'

/** Which of a record's entries, the newest first. */
export interface HistoryOptions extends ReadOptions {
  /** The most entries to answer; all when it is left out, and 100 on a page. */
  readonly limit?: number | undefined
  /** How many entries to skip first. */
  readonly offset?: number | undefined
  /** The `next` of the page before. */
  readonly after?: string | undefined
}

/** A page of a record's history. */
export interface HistoryPage {
  /** The newest first. */
  readonly entries: AuditEntry[]
  /** Cursor for `after` of the next page; absent on the last. */
  readonly next?: string
}

/** Entries on a page when nobody says. */
const defaultPageSize = 100

/** Entries that are looked at in one go for a caller who may not see all of them. */
const sieved = 500

/** A page of the entries about a record that the caller may see, the newest first; null for a record that is not there and never was. */
export async function pageHistory(bound: BoundAccessor, id: unknown, options: HistoryOptions): Promise<HistoryPage | null> {
  modelFor(bound, options)
  const limit = wholeNumber('limit', options.limit) ?? defaultPageSize
  const offset = wholeNumber('offset', options.offset) ?? 0
  if (options.after !== undefined && offset > 0)
    throw new InvalidQueryError('A page starts at an offset or after a cursor; give one of them.')
  if (!isId(bound.model, id)) return null
  const known = bound.model.id.normalise(id)
  return await bound.units.readMoment(options, function* (connection, context) {
    const there = yield* idsThere(bound, connection, undefined, [known])
    const isVisible = there.size > 0 && (yield* idsThere(bound, connection, context, [known])).size > 0
    if (there.size > 0 && !isVisible) return null
    const page = yield* visibleEntries(bound, connection, context, known, { limit, offset, after: options.after })
    // Whoever may see nothing of a record that is gone does not hear that it was there.
    if (!isVisible && page.entries.length === 0 && !(yield* hasEntries(bound, connection, context, known))) return null
    return page
  })
}

/** All entries about a record that the caller may see, or as many as it asks for, the newest first. */
export async function readHistory(bound: BoundAccessor, id: unknown, options: HistoryOptions): Promise<AuditEntry[]> {
  const most = wholeNumber('limit', options.limit) ?? Number.POSITIVE_INFINITY
  const entries: AuditEntry[] = []
  let { after, offset } = options
  while (entries.length < most) {
    const limit = Math.min(pageSize, most - entries.length)
    const page: HistoryPage | null = await pageHistory(bound, id, { ...options, limit, offset, after })
    // Not all at once as arguments: the stack has room for some ten thousands.
    for (const entry of page?.entries ?? []) entries.push(entry)
    if (page?.next === undefined) break
    after = page.next
    offset = undefined
  }
  return entries
}

/** Entries that are read at a time. */
const pageSize = 1_000

interface Place {
  readonly limit: number
  readonly offset: number
  readonly after: string | undefined
}

const keys = [{ field: 'id', descending: true }]

function* hasEntries(bound: BoundAccessor, connection: Connection, context: CallerContext, id: unknown): Task<boolean> {
  return (yield* visibleEntries(bound, connection, context, id, { limit: 1, offset: 0, after: undefined })).entries.length > 0
}

/** Walks the entries until the page is full: those that the caller may not see leave no gap. */
function* visibleEntries(
  bound: BoundAccessor,
  connection: Connection,
  context: CallerContext,
  id: unknown,
  { limit, offset, after }: Place,
): Task<HistoryPage> {
  if (limit === 0) return { entries: [] }
  const { log } = bound.moments
  const isSieved = isHeld(bound, { ...context, asked: true })
  const filter = allOf(entriesOf(bound, id), ownEntries(context))
  const found: FieldValues[] = []
  const wanted = limit + 1
  let skip = isSieved ? offset : 0
  for (let cursor = after; found.length < wanted; ) {
    const options = { filter, includeDeleted: true, keys, limit: isSieved ? sieved : wanted, offset: isSieved ? 0 : offset, after: cursor }
    const page = yield* selectPage(log, connection, { ...nobody, ...(context.time && { time: context.time }) }, options)
    const rows = isSieved ? yield* sieve(bound, connection, context, page.rows) : page.rows
    for (const row of rows) {
      if (skip > 0) skip--
      else if (found.length < wanted) found.push(row)
    }
    cursor = page.next
    if (!isSieved || cursor === undefined) break
  }
  const last = found[limit - 1]
  const limits = limitsOf(bound, context)
  const entries = found.slice(0, limit).map((row) =>
    shownEntry(
      auditEntry(row, () => bound.model),
      limits,
    ),
  )
  return found.length > limit && last ? { entries, next: writeCursor(log.model, keys, last) } : { entries }
}

const nobody: CallerContext = { principal: undefined, tenant: null, access: 'system' }

/** As in the log itself: who belongs to a tenant sees what was done in its name. */
function ownEntries({ tenant }: CallerContext): Filter {
  return tenant === null ? everything : equals('tenant', tenant)
}

/** The entries of whose images the caller might read each. */
function* sieve(
  bound: BoundAccessor,
  connection: Connection,
  context: CallerContext,
  entries: readonly FieldValues[],
): Task<FieldValues[]> {
  const images = new Map(entries.map((entry) => [entry, imagesOf(bound, entry)]))
  const holds = yield* readableImages(bound, connection, context, [...images.values()].flat())
  return entries.filter((entry) => images.get(entry)?.every(holds))
}

/** What an entry shows of the record; of one that was erased an empty record, which no condition holds for. */
function imagesOf(bound: BoundAccessor, entry: FieldValues): FieldValues[] {
  const texts = [entry['before'], entry['after']].filter((text) => typeof text === 'string')
  const images = texts.map((text) => shownImage(bound, readImage(bound.model, text)))
  return images.length > 0 ? images : [shownImage(bound, {})]
}
