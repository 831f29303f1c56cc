import { loadDriver, type SqliteDatabase } from './driver.ts'
import { isBusy, mapError } from './errors.ts'

/**
 * Holds a file until the answer is called, or this process ends, however it ends; the file is made. Answers undefined where somebody else
 * holds it. Other processes see it too, in whatever container: it is SQLite's lock, which the kernel lets go, and no process id.
 */
export async function holdFile(path: string): Promise<(() => void) | undefined> {
  const driver = await loadDriver()
  let database: SqliteDatabase | undefined
  try {
    database = new driver(path, { timeout: 0 })
    // Nothing is written, and no journal shall be left.
    database.pragma('journal_mode = MEMORY')
    database.prepare('BEGIN EXCLUSIVE').run([])
  } catch (error) {
    database?.close()
    if (isBusy(error)) return undefined
    throw mapError(error)
  }
  return () => database.close()
}
