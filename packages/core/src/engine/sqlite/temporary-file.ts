import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeWorkFolder } from './work-folder.ts'

/** A private file that is gone when it is removed, or with the process. */
export interface TemporaryFile {
  readonly path: string
  remove(): void
}

/**
 * Stands in for `:memory:`. The driver is built without shared memory databases (SQLITE_OMIT_SHARED_CACHE, no URIs), so
 * two connections cannot meet in one; and on a single connection a reader would see what is not committed.
 */
export async function makeTemporaryFile(): Promise<TemporaryFile> {
  const folder = await makeWorkFolder(tmpdir())
  const path = join(folder.path, 'memory.db')
  // SQLite gives -wal and -shm the mode of the file itself.
  const file = await open(path, 'wx', 0o600)
  await file.close()
  return { path, remove: () => folder.removeNow() }
}
