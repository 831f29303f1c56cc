import { StorageUnavailableError } from '../../errors.ts'
import { loadDriver, type SqliteDatabase } from './driver.ts'
import { mapError, sqliteCode } from './errors.ts'
import { smallCache } from './file-connection.ts'

/** Milliseconds to block for a lock: the thread that copies serves nobody else. */
const busyTimeout = 10_000

/** Pages, 256 KiB of the usual ones, that are copied at a time: a third of a millisecond's work. */
const pagesPerStep = 64

/**
 * Writes the database as it stands at this moment into a new file, beside readers and writers: SQLite's backup (https://sqlite.org/backup.html),
 * page by page, over one read transaction, without which it would begin anew with every write. VACUUM INTO is one statement that nothing
 * slows down: while it wrote a gigabyte, one request of a hundred took 60 ms and more, where this one's rests leave them at 9 (measured).
 *
 * @param rest is called between the steps, and may block the thread
 */
export async function copySqliteFile(path: string, target: string, rest: () => void): Promise<void> {
  const driver = await loadDriver()
  let source: SqliteDatabase | undefined
  let copy: SqliteDatabase | undefined
  try {
    source = new driver(path, { readonly: true, fileMustExist: true, timeout: busyTimeout })
    source.pragma(smallCache)
    source.prepare('BEGIN').run([])
    // The moment is that of the first statement that reads, not of BEGIN.
    source.prepare('SELECT count(*) FROM sqlite_schema').all([])
    await source.backup(target, {
      progress: () => {
        rest()
        return pagesPerStep
      },
    })
    // The copy says, as its original does, that it has a write-ahead log, and could not be read where none can be made.
    copy = new driver(target, { fileMustExist: true, timeout: busyTimeout })
    copy.pragma('journal_mode = DELETE')
  } catch (error) {
    throw mapError(error)
  } finally {
    copy?.close()
    source?.close()
  }
}

/** What is wrong with a database file, in SQLite's words; nothing is, where it answers nothing. Blocks the thread. */
export async function checkSqliteFile(path: string, { integrity = true }: { readonly integrity?: boolean } = {}): Promise<string[]> {
  const driver = await loadDriver()
  let database: SqliteDatabase | undefined
  try {
    database = new driver(path, { readonly: true, fileMustExist: true, timeout: busyTimeout })
    for (const pragma of ['trusted_schema = OFF', 'cell_size_check = ON', 'mmap_size = 0', smallCache]) database.pragma(pragma)
    // Rows of SQLite's own pragmas; foreign_key_check finds what integrity_check does not look for.
    const checked = (integrity ? database.pragma('integrity_check(20)') : []) as { integrity_check: string }[]
    const faults = checked.map((row) => row.integrity_check).filter((text) => text !== 'ok')
    if (faults.length > 0) return faults
    const orphans = database.pragma('foreign_key_check') as { table: string; rowid: number; parent: string }[]
    return orphans.slice(0, 20).map(({ table, rowid, parent }) => `a record of ${table} (rowid ${rowid}) points to nothing in ${parent}`)
  } catch (error) {
    const code = sqliteCode(error)
    if (code !== undefined && /NOTADB|CORRUPT/.test(code)) return ['the file is no SQLite database, or is damaged']
    throw error instanceof StorageUnavailableError ? error : mapError(error)
  } finally {
    database?.close()
  }
}
