import { type FileHandle, open } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'

/** Milliseconds between two times: a busy server makes more of them. */
const interval = 20

/**
 * Brings files to the disk little by little while somebody writes them. A disk that gets a gigabyte at once lets the commits of everybody
 * wait: 140 ms beside SQLite's VACUUM INTO, and 20 ms so (measured). Files that are not there (yet) are passed over.
 *
 * Not for a database file that others have open: closing it here would take SQLite's locks away
 * (https://sqlite.org/howtocorrupt.html, 2.2).
 */
export async function syncMeanwhile<T>(paths: readonly string[], work: Promise<T>): Promise<T> {
  const ended = new AbortController()
  const syncing = Promise.all(paths.map((path) => syncUntil(path, ended.signal)))
  try {
    return await work
  } finally {
    ended.abort()
    await syncing
  }
}

async function syncUntil(path: string, ended: AbortSignal): Promise<void> {
  let file: FileHandle | undefined
  let written = 0n
  while (!ended.aborted) {
    file ??= await open(path, 'r').catch(() => undefined)
    // A disk is asked to bring everybody's writes home, also for a file that has none.
    const last = await file?.stat({ bigint: true }).then(({ mtimeNs }) => mtimeNs)
    if (last !== undefined && last !== written) {
      written = last
      // Whoever writes the file hears of what the disk cannot do.
      await file?.datasync().catch(() => undefined)
    }
    await pause(interval, undefined, { signal: ended }).catch(() => undefined)
  }
  await file?.close()
}
