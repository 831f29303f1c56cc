import type { SqliteDatabase, SqliteStatement } from './driver.ts'

/** Where a write-ahead log stands: its pages, and how many of them are in the file. */
export interface LogState {
  readonly pages: number
  readonly inFile: number
}

interface CheckpointState extends LogState {
  readonly busy: boolean
}

/** Pages of the log that are brought into the file while writers wait, at most: the work of a few milliseconds. */
const fewPages = 200

/** Looks at the log so often: writers add to it while it is brought into the file. */
const mostPasses = 10

type CheckpointMode = 'NOOP' | 'PASSIVE' | 'TRUNCATE'

const none: readonly unknown[] = []

/**
 * Asks SQLite for a checkpoint (https://sqlite.org/c3ref/wal_checkpoint_v2.html). `PASSIVE` brings in what it can beside readers and writers,
 * `TRUNCATE` keeps writers waiting until the file of the log is empty, `NOOP` only tells. `busy`: somebody was in the way.
 */
export function checkpoint(database: SqliteDatabase, mode: CheckpointMode): CheckpointState {
  return logState(checkpointStatement(database, mode))
}

/** The same for whoever asks often. */
export function checkpointStatement(database: SqliteDatabase, mode: CheckpointMode): SqliteStatement {
  return database.prepare(`PRAGMA wal_checkpoint(${mode})`)
}

/** What a statement of these answers. */
export function logState(statement: SqliteStatement): CheckpointState {
  // One row of SQLite's own; its numbers are -1 where there is no log yet, or another connection is at it.
  const row = statement.get(none) as { readonly busy: number; readonly log: number; readonly checkpointed: number } | undefined
  return { busy: row?.busy !== 0, pages: Math.max(0, row?.log ?? 0), inFile: Math.max(0, row?.checkpointed ?? 0) }
}

/**
 * Brings the log into the file beside readers and writers, pass by pass, until little is left: whoever asks SQLite for all of it at once
 * keeps writers waiting until all is there. `isHeld`: somebody reads what came before, or is at it, too. Blocks the thread.
 */
export function bringIn(database: SqliteDatabase): LogState & { readonly isHeld: boolean } {
  let state: LogState = { pages: 0, inFile: 0 }
  for (let pass = 0; pass < mostPasses; pass++) {
    const { inFile: before } = state
    const { busy, ...now } = checkpoint(database, 'PASSIVE')
    state = now
    if (now.pages - now.inFile <= fewPages) return { ...state, isHeld: busy }
    if (busy || (pass > 0 && now.inFile === before)) return { ...state, isHeld: true }
  }
  // Writers are quicker than this thread: they have to wait in the end.
  return { ...state, isHeld: false }
}
