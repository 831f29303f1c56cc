import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileGone } from '../database-place.ts'
import type { EngineHealth } from '../engine.ts'

/**
 * What a database's log needs, and what its disk has left. Throws StorageUnavailableError where the file is gone: who has it open can go on
 * writing to it, and loses all of that in the end.
 */
export async function measureDisk(path: string): Promise<Pick<EngineHealth, 'walBytes' | 'freeDiskBytes'>> {
  const [log, disk] = await Promise.all([sizeOf(`${path}-wal`), statfs(dirname(path)), stat(path)]).catch((cause) => {
    throw fileGone(cause)
  })
  // What is kept for the administrator is not free for us.
  return { walBytes: log, freeDiskBytes: disk.bavail * disk.bsize }
}

/** There is no log before the first write. */
async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0
}
