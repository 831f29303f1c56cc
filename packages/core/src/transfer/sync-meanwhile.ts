import { open, stat } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'

/** Milliseconds between two looks at how far a file is. */
const interval = 50

/**
 * Brings files to the disk little by little while somebody writes them. A disk that gets a gigabyte at once lets the commits of everybody
 * wait: 140 ms beside SQLite's VACUUM INTO, and 20 ms so (measured). Files that are not there are passed over.
 *
 * Not for a database file that others have open: closing it here would take SQLite's locks away
 * (https://sqlite.org/howtocorrupt.html, 2.2).
 */
export async function syncMeanwhile<T>(paths: readonly string[], work: Promise<T>): Promise<T> {
  const ended = new AbortController()
  const syncing = syncUntil(paths, ended.signal)
  try {
    return await work
  } finally {
    ended.abort()
    await syncing
  }
}

async function syncUntil(paths: readonly string[], ended: AbortSignal): Promise<void> {
  const sizes = new Map<string, number>()
  while (!ended.aborted) {
    for (const path of paths) {
      const size = await stat(path).then(
        (found) => found.size,
        () => 0,
      )
      if (size > (sizes.get(path) ?? 0)) await sync(path).catch(() => undefined)
      sizes.set(path, size)
    }
    await pause(interval, undefined, { signal: ended }).catch(() => undefined)
  }
}

/** Whoever writes the file hears of what the disk cannot do. */
async function sync(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.datasync()
  } finally {
    await file.close()
  }
}
