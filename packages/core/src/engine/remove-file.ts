import { randomBytes } from 'node:crypto'
import { lstat, readdir, rename, rm, truncate } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'

/** Bytes, 1 MiB, that a disk gets back at a time. */
const piece = 1_048_576

/** Milliseconds in between, while this thread is busy and while it is not: others may be at the same disk. */
const pauses = { busy: 10, idle: 1 }

/** The part of its time that the thread has to be at work to be busy. */
const busy = 0.25

/**
 * Removes a file that nobody looks for, a piece at a time; it need not be there. A disk that gets a gigabyte back at once lets the commits of
 * everybody wait for it.
 */
export async function removeFile(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  // A file that has another name, too, stays.
  if (found?.isFile() && found.nlink === 1) await shorten(path, found.size)
  await rm(path, { force: true })
}

/** What a process that was killed has left of a file that was to go: nobody needs it. */
const withdrawn = /^\..+\.[0-9a-f]{12}\.removed$/

/** The same with a file that others know by its name: it is gone from there at once, and never there in half. */
export async function withdrawFile(path: string): Promise<void> {
  const nameless = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.removed`)
  await rename(path, nameless).then(
    () => removeFile(nameless),
    () => rm(path, { force: true }),
  )
}

/** Removes what killed processes have left in a folder of files that were to go. A process that is still at it loses nothing by it. */
export async function removeWithdrawn(folder: string): Promise<void> {
  const found = await readdir(folder).catch(() => [])
  for (const name of found) if (withdrawn.test(name)) await removeFile(join(folder, name))
}

async function shorten(path: string, bytes: number): Promise<void> {
  try {
    let last = performance.eventLoopUtilization()
    for (let left = bytes - piece; left > 0; left -= piece) {
      await truncate(path, left)
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, last)
      last = now
      await pause(utilization < busy ? pauses.idle : pauses.busy)
    }
  } catch {
    // Then as a whole.
  }
}
