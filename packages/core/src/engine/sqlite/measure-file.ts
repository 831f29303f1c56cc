import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { EngineHealth } from '../engine.ts'

/** What a database file needs, and what its disk has left, as the file system tells it. */
export async function measureFile(path: string): Promise<Pick<EngineHealth, 'databaseBytes' | 'walBytes' | 'freeDiskBytes'>> {
  const [file, log, disk] = await Promise.all([stat(path), sizeOf(`${path}-wal`), statfs(dirname(path))])
  // What is kept for the administrator is not free for us.
  return { databaseBytes: file.size, walBytes: log, freeDiskBytes: disk.bavail * disk.bsize }
}

/** There is no log before the first write. */
async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0
}
