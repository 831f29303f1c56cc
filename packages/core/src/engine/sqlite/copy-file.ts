import { StorageUnavailableError } from '../../errors.ts'
import { loadDriver, type SqliteDatabase } from './driver.ts'
import { mapError, sqliteCode } from './errors.ts'
import { smallCache } from './file-connection.ts'

/** Milliseconds to block for a lock: the thread that copies serves nobody else. */
const busyTimeout = 10_000

/**
 * Writes what the database holds at this moment into a new file, without what was deleted, beside readers and writers
 * (https://sqlite.org/lang_vacuum.html#vacuuminto). Blocks the thread until it is done.
 */
export async function copySqliteFile(path: string, target: string): Promise<void> {
  const driver = await loadDriver()
  let database: SqliteDatabase | undefined
  try {
    database = new driver(path, { readonly: true, fileMustExist: true, timeout: busyTimeout })
    database.pragma(smallCache)
    database.prepare('VACUUM INTO ?').run([target])
  } catch (error) {
    throw mapError(error)
  } finally {
    database?.close()
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
