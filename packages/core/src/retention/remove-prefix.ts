import { hexOf } from '../audit/digest.ts'
import { type CheckedEntry, type CheckedHead, LogCheck } from '../audit/log-check.ts'
import { componentsIn, firstFrom, hasOwnIndex, ofAnyComponent } from '../audit/positions.ts'
import type { LogTables } from '../audit/seal-pending.ts'
import type { Connection } from '../engine/engine.ts'
import { StorageUnavailableError } from '../errors.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { allOf, equals, everything, type Filter } from '../query/filter.ts'
import { positionField } from '../query/log-position.ts'
import { selectRows } from '../query/rows.ts'
import { type Task, wait } from '../session/task.ts'

/** Entries that one unit removes, and some more to the end of a link: each is looked at first, while others wait. */
const mostAtOnce = 2_000

/**
 * Removes the next entries below a position, up to the end of a link, and keeps in the head what the rest is verified by: the hash of the last link,
 * and the roots of the blocks. They are verified before; a log in which something is wrong keeps its evidence. Answers how many went.
 */
export function* removePrefix({ log, head }: LogTables, connection: Connection, horizon: number): Task<number> {
  const [row] = yield* selectRows(head, connection, undefined, { filter: everything, includeDeleted: true, order: [], lock: true })
  // The row was read through AuditHead, whose fields have these types.
  const stand = row as FieldValues & CheckedHead
  const from = Math.max(1, stand.retained_below)
  const options = { includeDeleted: true, order: [{ field: positionField, descending: false }] }
  const start = yield* firstFrom(log, connection, from)
  if (!start) return 0
  // Positions are given away one after the other.
  const through = Math.min(horizon, start.seq + mostAtOnce)
  const ofAny = yield* ofAnyComponent(log, connection)
  const found = yield* selectRows(log, connection, undefined, { ...options, filter: allOf(ofAny, between(from, through)) })
  const lastFound = found.at(-1)
  if (!lastFound) return 0
  // One entry more shows where a link ends.
  const after = yield* firstFrom(log, connection, Number(lastFound[positionField]) + 1)
  const next = after
    ? yield* selectRows(log, connection, undefined, { ...options, filter: allOf(ofAny, equals(positionField, after.seq)) })
    : []
  const rows = [...found, ...next]
  const end = lastLinkEnd(rows)
  if (end === 0) return 0
  const check = new LogCheck(stand)
  for (const entry of rows.slice(0, end)) check.add(checked(entry))
  const roots = check.kept()
  const first = rows[end]
  // What comes next has the last link end, which is then held against its hash.
  if (first) check.add(checked(first))
  if (check.fault && !(first && check.fault.position === Number(first[positionField]))) throw doesNotVerify(check.fault)
  const last = rows[end - 1] as FieldValues
  if (first && check.hash !== checked(last).hash)
    throw doesNotVerify({ position: Number(last[positionField]), detail: 'The link that ends there is not what was hashed.' })
  const below = Number(last[positionField]) + 1
  const values = { retained_below: below, retained_hash: last['hash'], retained_roots: roots ?? null }
  const set = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, head.encode(name, value)]))
  const { builder } = log.engine
  yield* wait(connection.run(builder.updateTable(head.model.name).set(set).compile()))
  const removal = builder.deleteFrom(log.model.name).where(positionField, '<', below)
  const held = hasOwnIndex(log) ? removal : removal.where('component', 'in', yield* componentsIn(log, connection))
  yield* wait(connection.run(held.compile()))
  return end
}

function between(from: number, below: number): Filter {
  return allOf(
    { type: 'compare', field: positionField, comparison: 'gte', value: from },
    { type: 'compare', field: positionField, comparison: 'lt', value: below },
  )
}

/** How many of the entries, of which the last one stays, are whole links. */
function lastLinkEnd(rows: readonly FieldValues[]): number {
  for (let end = rows.length - 1; end > 0; end--) if (!isOneLink(rows[end - 1] as FieldValues, rows[end] as FieldValues)) return end
  return 0
}

/** Entries of links that hold several have leaves. */
function isOneLink(one: FieldValues, other: FieldValues): boolean {
  const { leaf, hash } = one
  // Digests are bytes.
  return leaf !== null && other['leaf'] !== null && Buffer.compare(hash as Uint8Array, other['hash'] as Uint8Array) === 0
}

function checked(entry: FieldValues): CheckedEntry {
  const { timestamp, effective_at: effectiveAt } = entry as { timestamp: Date; effective_at: Date }
  const hex = Object.fromEntries(
    Object.entries(entry).flatMap(([name, value]) => (value instanceof Uint8Array ? [[name, hexOf(value)]] : [])),
  )
  // The row was read through AuditLog, whose other fields have these types.
  return { ...entry, ...hex, timestamp: timestamp.toISOString(), effective_at: effectiveAt.toISOString() } as unknown as CheckedEntry
}

function doesNotVerify({ position, detail }: { readonly position: number | null; readonly detail: string }): StorageUnavailableError {
  const where = position === null ? '' : ` at position ${position}`
  return new StorageUnavailableError(
    'storage_unavailable',
    `Nothing more is removed from the audit log, because it does not verify${where}. ${detail} Ask storage.audit.verify().`,
  )
}
