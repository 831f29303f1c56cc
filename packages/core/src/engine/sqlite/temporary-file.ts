import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A private file that is gone when it is removed, or with the process. */
export interface TemporaryFile {
  readonly path: string
  remove(): void
}

const folders = new Set<string>()

/**
 * Stands in for `:memory:`. The driver is built without shared memory databases (SQLITE_OMIT_SHARED_CACHE, no URIs), so
 * two connections cannot meet in one; and on a single connection a reader would see what is not committed.
 */
export function makeTemporaryFile(): TemporaryFile {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-'))
  if (folders.size === 0) process.on('exit', removeAll)
  folders.add(folder)
  const path = join(folder, 'memory.db')
  // SQLite gives -wal and -shm the mode of the file itself.
  closeSync(openSync(path, 'wx', 0o600))
  return { path, remove: () => remove(folder) }
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  folders.delete(folder)
  if (folders.size === 0) process.off('exit', removeAll)
}

function removeAll(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}
