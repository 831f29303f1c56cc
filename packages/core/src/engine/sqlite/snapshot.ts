import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Snapshot, Statement, StoredRow } from '../engine.ts'
import { RowBatch } from '../row-batch.ts'
import { loadDriver } from './driver.ts'
import { mapError } from './errors.ts'
import { smallCache } from './file-connection.ts'
import { type Handle, openReader } from './handle.ts'
import { readEachRow } from './read-pages.ts'
import { narrow } from './statement-cache.ts'
import { codecFor } from './values.ts'

/** Milliseconds to block for a lock: this thread serves nobody else. */
const busyTimeout = 5_000

/** Opens a read transaction on a connection of its own: the write-ahead log keeps what it sees until it is closed. */
export async function openSqliteSnapshot(path: string): Promise<Snapshot> {
  const driver = await loadDriver()
  let handle: Handle | undefined
  try {
    handle = openReader({ driver, path, synchronous: 'OFF', maxPageCount: undefined, timeout: busyTimeout })
    handle.database.pragma(smallCache)
    handle.database.prepare('BEGIN').run([])
    // The snapshot is taken by the first statement that reads, not by BEGIN.
    handle.database.prepare('SELECT count(*) FROM sqlite_schema').all([])
  } catch (error) {
    handle?.database.close()
    throw mapError(error)
  }
  const { database } = handle
  return {
    codec: codecFor,
    stream: (statement, mostRows) => streamRows(handle, statement, mostRows),
    eachRow: (statement, take) => readEachRow(handle, statement, take),
    lastCountedId: async (table) => {
      const [row] = database.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?').all([table])
      // The column is an integer of SQLite's own table.
      return (row as { readonly seq: number } | undefined)?.seq ?? 0
    },
    close: async () => {
      database.close()
    },
  }
}

async function* streamRows(handle: Handle, { sql, parameters }: Statement, mostRows: number): AsyncGenerator<StoredRow[], void, undefined> {
  const { statement, exact } = handle.statements.get(sql)
  const batch = new RowBatch(mostRows)
  try {
    // better-sqlite3 hands out plain objects by column name.
    for (const row of statement.iterate(parameters) as IterableIterator<StoredRow>) {
      if (exact) narrow(row)
      const full = batch.add(row)
      if (!full) continue
      yield full
      // Messages to this thread get their turn.
      await nextTurn()
    }
  } catch (error) {
    throw mapError(error)
  }
  const rest = batch.rest()
  if (rest) yield rest
}
