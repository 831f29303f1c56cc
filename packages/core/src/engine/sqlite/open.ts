import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { StorageBusyError, StorageUnavailableError, StrongroomError, UsageError } from '../../errors.ts'
import type { Engine } from '../engine.ts'
import type { SqliteSettings } from '../settings.ts'
import type { StatementListener } from '../statement-listener.ts'
import { applicationId } from './application-id.ts'
import { Checkpoints } from './checkpoints.ts'
import { loadDriver, type SqliteDatabase } from './driver.ts'
import { isBusy, mapError, sqliteCode } from './errors.ts'
import { type Handle, type HandleOptions, openReader, openWriter } from './handle.ts'
import { openElsewhere } from './large-transaction.ts'
import { Reader } from './reader.ts'
import { SqliteEngine } from './sqlite-engine.ts'
import { makeTemporaryFile, type TemporaryFile } from './temporary-file.ts'
import { WriteLane } from './write-lane.ts'

export interface SqliteEngineOptions extends SqliteSettings {
  readonly onStatement?: StatementListener | undefined
  /**
   * The database file, relative to the working directory or absolute; it is made when it is not there, its folder is not.
   * `:memory:` keeps the data in a private temporary file until the storage is closed.
   */
  readonly path: string
  /** It is thrown away in the end: nothing of it has to reach the disk. */
  readonly passing?: boolean
  /** Writes that may share a commit, 1000 by default. */
  readonly maxGroup?: number
  /** Milliseconds after which writes that come share the next commit, 20 by default. */
  readonly longestAdmission?: number
  /** Milliseconds that a write waits for those who shared the last commit, as long as some of them come, 2 by default. */
  readonly longestGathering?: number
}

/**
 * Opens a SQLite database.
 *
 * Throws a `UsageError` for options that make no sense and when better-sqlite3 is missing, a `StorageUnavailableError`
 * when the file cannot be opened, and a `StorageBusyError` when another process keeps it locked for longer than `busyWait`.
 *
 * @example
 * const engine = await openSqliteEngine({ path: './app.db' })
 */
export async function openSqliteEngine(options: SqliteEngineOptions): Promise<Engine> {
  const settings = { synchronous: 'FULL', busyWait: 5_000, queueLimit: 10_000, maxGroup: 1_000, ...options } as const
  validate(settings)
  const driver = await loadDriver()
  const temporary = options.path === ':memory:' ? await makeTemporaryFile() : undefined
  const path = temporary?.path ?? resolve(options.path)
  // A temporary file ends with its process, a passing one before: there is nothing to bring through a power loss.
  const synchronous = temporary || options.passing ? 'OFF' : settings.synchronous
  const { maxPageCount, onStatement } = settings
  const parts = await openFile({ driver, path, synchronous, maxPageCount, onStatement }, settings.busyWait, temporary)
  const lane: WriteLane = new WriteLane(parts.writer, {
    ...settings,
    afterCommit: () => checkpoints?.look(),
    openElsewhere: () => openElsewhere({ path, synchronous, maxPageCount }, onStatement),
  })
  // What is thrown away is not worth a thread.
  const checkpoints = options.passing ? undefined : new Checkpoints({ path, synchronous }, parts.writer.database, () => lane.hold())
  // A process that was killed may have left a long log.
  checkpoints?.look()
  return new SqliteEngine({
    ...parts,
    path,
    closeLog: async () => checkpoints?.close(),
    lane,
    afterClose: () => temporary?.remove(),
  })
}

function validate(settings: Required<Pick<SqliteEngineOptions, 'path' | 'busyWait' | 'queueLimit' | 'maxGroup'>>): void {
  if (settings.path.trim() === '') throw new UsageError('invalid_options', 'The path of the database is empty. Name a file, or :memory:.')
  const atLeast = { busyWait: 0, queueLimit: 1, maxGroup: 1 } as const
  for (const name of ['busyWait', 'queueLimit', 'maxGroup'] as const) {
    if (settings[name] >= atLeast[name]) continue
    throw new UsageError('invalid_options', `${name} must be a number of at least ${atLeast[name]}.`)
  }
}

async function openFile(
  options: HandleOptions,
  busyWait: number,
  temporary: TemporaryFile | undefined,
): Promise<{ writer: Handle; reader: Reader }> {
  let writer: Handle | undefined
  try {
    if (!existsSync(dirname(options.path))) throw missingFolder(options.path)
    const opened = await whenUnlocked(busyWait, () => openWriter(options))
    writer = opened
    await whenUnlocked(busyWait, () => markNewFile(opened.database))
    return { writer, reader: await whenUnlocked(busyWait, () => new Reader(() => openReader(options))) }
  } catch (error) {
    writer?.database.close()
    temporary?.remove()
    throw describeFailure(options.path, error)
  }
}

/** Tries again while another process holds the lock; the event loop stays live. */
async function whenUnlocked<T>(busyWait: number, action: () => T): Promise<T> {
  const giveUpAt = performance.now() + busyWait
  for (;;) {
    try {
      return action()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= giveUpAt) throw error
    }
    await pause(5 + Math.random() * 20)
  }
}

/** Signs a database that has nothing in it yet; somebody else's file keeps its own mark. */
function markNewFile(database: SqliteDatabase): void {
  if (!isNew(database)) return
  const run = (sql: string) => database.prepare(sql).run([])
  run('BEGIN IMMEDIATE')
  try {
    if (isNew(database)) database.pragma(`application_id = ${applicationId}`)
    run('COMMIT')
  } finally {
    if (database.inTransaction) run('ROLLBACK')
  }
}

function isNew(database: SqliteDatabase): boolean {
  const read = (text: string) => Number(database.pragma(text, { simple: true }))
  return read('page_count') <= 1 && read('application_id') === 0 && read('user_version') === 0 && read('schema_version') === 0
}

function missingFolder(path: string): StorageUnavailableError {
  return new StorageUnavailableError(
    'storage_unavailable',
    `The folder of the database file ${path} does not exist. Make it, or choose another path.`,
  )
}

/** At the opening the sentence names the file: it is for whoever starts the program, and never travels to a client. */
function describeFailure(path: string, error: unknown): Error {
  if (error instanceof StrongroomError) return error
  if (isBusy(error)) return new StorageBusyError(`Another process keeps the database file ${path} locked.`, { cause: error })
  const code = sqliteCode(error)
  if (code === undefined) return mapError(error)
  const reason = /NOTADB|CORRUPT/.test(code)
    ? 'is no SQLite database, or is damaged'
    : code === 'SQLITE_FULL'
      ? 'cannot be written, since the disk is full'
      : 'cannot be opened. Check that it is a file and that this process may read and write it'
  return new StorageUnavailableError(
    code === 'SQLITE_FULL' ? 'storage_full' : 'storage_unavailable',
    `The database file ${path} ${reason}.`,
    { cause: error },
  )
}
