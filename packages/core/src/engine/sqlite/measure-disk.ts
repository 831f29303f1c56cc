import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { EngineHealth } from '../engine.ts'

/** What a database's log needs, and what its disk has left. */
export async function measureDisk(path: string): Promise<Pick<EngineHealth, 'walBytes' | 'freeDiskBytes'>> {
  const [log, disk] = await Promise.all([sizeOf(`${path}-wal`), statfs(dirname(path))])
  // What is kept for the administrator is not free for us.
  return { walBytes: log, freeDiskBytes: disk.bavail * disk.bsize }
}

/** There is no log before the first write. */
async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0
}
