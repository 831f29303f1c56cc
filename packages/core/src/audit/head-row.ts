import type { Connection, Statement } from '../engine/engine.ts'
import type { LateWork } from '../engine/late-write.ts'
import { StorageUnavailableError } from '../errors.ts'
import type { BoundTable, FieldValues } from '../query/bound-table.ts'
import { equals } from '../query/filter.ts'
import { appendNext, selectRows } from '../query/rows.ts'
import { bind, Slot, shapeOf } from '../query/shape.ts'
import { runTask, type Task, wait } from '../session/task.ts'
import { headId } from './audit-log.ts'
import { type ChainHead, type ChainPlace, chainHead, chainHeadColumns } from './chain.ts'

/**
 * Reads where the log stands, within a unit: another process may have written since the last one, and a rolled back savepoint takes it
 * back. `lock` keeps others from doing the same until the unit ends, where units overlap.
 */
export function* readHead(head: BoundTable, connection: Connection, lock = false): Task<ChainHead> {
  const noted = notedHead(connection)
  if (noted) return noted
  const options = { filter: equals('id', headId), includeDeleted: true, order: [], columns: chainHeadColumns, lock }
  const [row] = yield* selectRows(head, connection, undefined, options)
  if (row) return chainHead(row)
  throw new StorageUnavailableError('storage_unavailable', 'The audit log has lost its head row. Restore the database from a backup.')
}

/** Whoever noted something noted where the log stands. */
function notedHead(connection: Connection): ChainHead | undefined {
  return connection.late?.value as ChainHead | undefined
}

/**
 * Reads where the log stands for whoever writes its next entry: `last_entry` and what the database counts are the same then, so that the
 * next entry's id, which is hashed, is the one that the database gives it.
 */
export function* headToFollow(
  { log, head }: { readonly log: BoundTable; readonly head: BoundTable },
  connection: Connection,
): Task<ChainHead> {
  const noted = notedHead(connection)
  if (noted) return noted
  const stand = yield* readHead(head, connection)
  const { engine, model } = log
  // A log from elsewhere may have counted further: for units that were rolled back there.
  const counted = (yield* wait(engine.lastCountedId?.(connection, model.name))) ?? 0
  if (counted < stand.last_entry) yield* wait(engine.advanceIds(connection, model.name, model.id.name, stand.last_entry))
  return { ...stand, last_entry: Math.max(counted, stand.last_entry) }
}

/** Entries that wait for their commit at most: a unit that writes many keeps no more of them in memory. */
const mostWaiting = 64

/** What an entry is inserted with, its place included. */
export type PlacedEntry = FieldValues & Pick<ChainPlace, 'id' | 'seq'>

/**
 * Writes entries and where the log stands behind them. Where units share a commit all of it is put off until then: a statement for several entries costs each
 * a third less than one of its own, and where the log stands is written once.
 */
export function* writeEntries(
  tables: { readonly log: BoundTable; readonly head: BoundTable },
  connection: Connection,
  entries: readonly PlacedEntry[],
  { stand, sealedAt }: { readonly stand: ChainHead; readonly sealedAt: Date },
): Task<void> {
  const { late } = connection
  // Nobody else has rows that wait.
  const waiting = late && [...(late.rows as readonly PlacedEntry[]), ...entries]
  if (late && waiting && waiting.length <= mostWaiting) {
    late.note(lateWork(tables, waiting, stand, sealedAt))
    return
  }
  if (!(yield* appendNext(tables.log, connection, entries))) throw miscounted()
  yield* writeHead(tables, connection, stand, sealedAt)
}

/** Writes where the log stands now; once for all units of a commit, where they share one. */
export function* writeHead(
  tables: { readonly log: BoundTable; readonly head: BoundTable },
  connection: Connection,
  stand: ChainHead,
  sealedAt: Date,
): Task<void> {
  const { late } = connection
  if (late) late.note(lateWork(tables, late.rows as readonly PlacedEntry[], stand, sealedAt))
  else yield* wait(connection.run(headStatement(tables.head, stand, sealedAt)))
}

function lateWork(
  { log, head }: { readonly log: BoundTable; readonly head: BoundTable },
  rows: readonly PlacedEntry[],
  value: ChainHead,
  sealedAt: Date,
): LateWork {
  const write = (connection: Connection): void => {
    // Who has something to put off answers at once.
    if (runTask(appendNext(log, connection, rows)) !== true) throw miscounted()
    void connection.run(headStatement(head, value, sealedAt))
  }
  return { value, rows, tables: [log.model.name, head.model.name], write }
}

function miscounted(): StorageUnavailableError {
  const advice = 'Something else counts the ids of its entries: look for triggers of your own on strongroom_audit_log, and remove them.'
  return new StorageUnavailableError('storage_unavailable', `The audit log cannot be written. ${advice}`)
}

const advancedColumns = ['epoch', 'seq', 'hash', 'effective_at', 'transaction_id', 'last_entry', 'sealed_at'] as const

function headStatement(head: BoundTable, stand: ChainHead, sealedAt: Date): Statement {
  const values: FieldValues = { ...stand, sealed_at: sealedAt }
  const shape = head.shapes.get('advance', () =>
    shapeOf(
      head.engine.builder
        .updateTable(head.model.name)
        // A row that is named is changed at once, where others are listed first: a sixtieth of the commit of a single write (measured).
        .where('id', '=', new Slot(advancedColumns.length))
        .set(Object.fromEntries(advancedColumns.map((name, index) => [name, new Slot(index)])))
        .compile(),
    ),
  )
  return bind(shape, [...advancedColumns.map((name) => head.encode(name, values[name])), headId])
}
