import { limitsOf } from '../access/audit-access.ts'
import type { BoundAccessor } from '../accessor/bound-accessor.ts'
import { idsThere } from '../accessor/past/read-past.ts'
import { readableImages } from '../accessor/past/readable-images.ts'
import { isHeld } from '../accessor/permit.ts'
import { type AuditEntry, auditEntry } from '../audit/entry.ts'
import { completeImage, readImage } from '../audit/image-reader.ts'
import { shownEntry } from '../audit/shown-entry.ts'
import type { Connection } from '../engine/engine.ts'
import { parseId } from '../model/record-id.ts'
import type { FieldValues } from '../query/bound-table.ts'
import type { CallerContext } from '../session/context.ts'
import type { Task } from '../session/task.ts'

/**
 * What entries of a component's log show to a caller. Whoever may read some of the records alone sees an image where the record that it
 * shows might be read, and where the record, if it still is there, may be read now. So a change that takes a record out of what may be
 * read has no `after`, as a delete has none, and one that brings it in has no `before`, as a create has none. Where neither image may be
 * seen there is no change, but for the one that took a record away which the caller had: that one shows the id alone.
 */
export function* visibleChanges(
  bound: BoundAccessor,
  connection: Connection,
  context: CallerContext,
  rows: readonly FieldValues[],
): Task<AuditEntry[]> {
  const limits = limitsOf(bound, context)
  const shown = isHeld(bound, { ...context, asked: true }) ? yield* sieve(bound, connection, context, rows) : rows
  return shown.map((row) =>
    shownEntry(
      auditEntry(row, () => bound.model),
      limits,
    ),
  )
}

function* sieve(
  bound: BoundAccessor,
  connection: Connection,
  context: CallerContext,
  rows: readonly FieldValues[],
): Task<readonly FieldValues[]> {
  const pairs = rows.map((row) => ({ row, before: imageOf(bound, row['before']), after: imageOf(bound, row['after']) }))
  const images = pairs.flatMap(({ before, after }) => [before, after]).filter((image) => image !== undefined)
  const mayRead = yield* readableImages(bound, connection, context, images)
  const closed = yield* closedIds(bound, connection, context, rows)
  return pairs.flatMap(({ row, before, after }) => {
    const had = before !== undefined && mayRead(before)
    const has = after !== undefined && mayRead(after)
    const isTaken = had && after !== undefined && !has
    const isClosed = closed.has(idOf(bound, row))
    const visible = { ...row, before: had && !isClosed ? row['before'] : null, after: has && !isClosed ? row['after'] : null }
    return isTaken || visible.before !== null || visible.after !== null ? [visible] : []
  })
}

function imageOf({ model }: BoundAccessor, text: unknown): FieldValues | undefined {
  return typeof text === 'string' ? completeImage(model, readImage(model, text)) : undefined
}

function idOf({ model }: BoundAccessor, row: FieldValues): unknown {
  return parseId(model, String(row['record_id']))
}

/** The records that are there, and that the caller may not read as they are now. */
function* closedIds(
  bound: BoundAccessor,
  connection: Connection,
  context: CallerContext,
  rows: readonly FieldValues[],
): Task<ReadonlySet<unknown>> {
  const ids = [...new Set(rows.map((row) => idOf(bound, row)))].filter((id) => id !== undefined)
  const there = yield* idsThere(bound, connection, undefined, ids)
  const readable = yield* idsThere(bound, connection, { ...context, asked: true }, ids)
  for (const id of readable) there.delete(id)
  return there
}
