import { StorageUnavailableError } from '../../errors.ts'
import { LateWrite } from '../late-write.ts'
import type { StatementListener } from '../statement-listener.ts'
import { ChangeMarks } from './change-marks.ts'
import type { SqliteDatabase, SqliteDriver } from './driver.ts'
import { listenToStatements } from './listen.ts'
import { addOwnFunctions } from './own-functions.ts'
import { ReadClock } from './read-clock.ts'
import { StatementCache } from './statement-cache.ts'

export type Synchronous = 'FULL' | 'NORMAL' | 'OFF'

export interface HandleOptions {
  readonly driver: SqliteDriver
  readonly path: string
  readonly synchronous: Synchronous
  /** In pages; a smaller disk for tests. */
  readonly maxPageCount: number | undefined
  /** Milliseconds to block for a lock; a few unless said. */
  readonly timeout?: number
  readonly onStatement?: StatementListener | undefined
}

/** One open connection to the database file, with its prepared statements. */
export interface Handle {
  readonly database: SqliteDatabase
  readonly statements: StatementCache
  readonly clock: ReadClock
  readonly readonly: boolean
  /** Of the connection that writes. */
  readonly marks?: ChangeMarks
  /** Of the connection that writes. */
  readonly late?: LateWrite
}

/**
 * Milliseconds that SQLite itself waits for a lock, and the event loop with it: enough for a neighbour's short commit.
 * Whoever needs longer waits asynchronously.
 */
const busyTimeout = 5

/** 64 MiB: what a write-ahead log is cut down to after it has been larger. */
export const journalSizeLimit = 67_108_864

/** Opens the connection that writes. It makes the file when there is none, and switches it to the write-ahead log. */
export function openWriter(options: HandleOptions): Handle {
  const database = new options.driver(options.path, { timeout: busyTimeout })
  const statements = new StatementCache(database)
  // Before the listener: nobody wants to hear of looking whether anything has changed.
  const marks = new ChangeMarks(database, () => statements.clear())
  if (options.onStatement) listenToStatements(database, options.onStatement)
  try {
    // Before the switch, which brings all of the file to the disk: that takes seconds where it was just written.
    if (options.synchronous === 'OFF') database.pragma('synchronous = OFF')
    if (database.pragma('journal_mode = WAL', { simple: true }) !== 'wal') throw noLog(options.path)
    setPragmas(database, options.synchronous)
    addOwnFunctions(database)
    if (options.maxPageCount !== undefined) database.pragma(`max_page_count = ${options.maxPageCount}`)
  } catch (error) {
    database.close()
    throw error
  }
  const late = new LateWrite({ version: () => marks.dataVersion() })
  return { database, statements, clock: new ReadClock(database), readonly: false, marks, late }
}

/** Opens a connection that cannot write. */
export function openReader(options: HandleOptions): Handle {
  const database = new options.driver(options.path, { readonly: true, fileMustExist: true, timeout: options.timeout ?? busyTimeout })
  if (options.onStatement) listenToStatements(database, options.onStatement)
  try {
    setPragmas(database, options.synchronous)
    addOwnFunctions(database)
  } catch (error) {
    database.close()
    throw error
  }
  return { database, statements: new StatementCache(database), clock: new ReadClock(database), readonly: true }
}

function noLog(path: string): StorageUnavailableError {
  const advice = 'Put it on a local disk: network drives often cannot share memory between processes.'
  return new StorageUnavailableError('storage_unavailable', `The database file ${path} cannot have a write-ahead log. ${advice}`)
}

function setPragmas(database: SqliteDatabase, synchronous: Synchronous): void {
  database.pragma(`synchronous = ${synchronous}`)
  database.pragma('foreign_keys = ON')
  database.pragma('trusted_schema = OFF')
  database.pragma('cell_size_check = ON')
  database.pragma('recursive_triggers = ON')
  // What is deleted, erased or changed is written over at once, and so is in no backup, which is a copy page by page. Costs nothing that can be measured.
  database.pragma('secure_delete = ON')
  database.pragma('mmap_size = 0')
  database.pragma(`journal_size_limit = ${journalSizeLimit}`)
}
