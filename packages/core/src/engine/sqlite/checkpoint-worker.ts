import { setTimeout as pause } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { bringIn, checkpoint } from './checkpoint.ts'
import { loadDriver } from './driver.ts'
import { journalSizeLimit, type Synchronous } from './handle.ts'

/** What the thread that brings a long log into the file is started with. */
export interface CheckpointTask {
  readonly path: string
  readonly synchronous: Synchronous
}

/** Milliseconds for which writers may be kept waiting until all readers of the log are through. */
const patience = 100

/** Milliseconds before the next look at a log that somebody reads. */
const readersPause = 100

/** Milliseconds before the next try after a failure, such as a full disk. */
const failurePause = 1_000

const port = parentPort
if (!port) throw new Error('This module runs in a thread that the library starts.')
// Whoever starts the thread says what its task is.
const { path, synchronous } = workerData as CheckpointTask
const driver = await loadDriver()
const ending = new AbortController()
// Whoever closes the database says so: it waits for no reader any more.
port.once('message', () => ending.abort())
const database = new driver(path, { fileMustExist: true, timeout: patience })
try {
  database.pragma(`synchronous = ${synchronous}`)
  const pageBytes = Number(database.pragma('page_size', { simple: true }))
  for (let next = tryOnce(pageBytes); next !== 'done' && !ending.signal.aborted; next = tryOnce(pageBytes)) {
    await pause(next, undefined, { signal: ending.signal }).catch(() => undefined)
  }
} finally {
  database.close()
  port.close()
}

/** Answers after how many milliseconds to try again, if at all. */
function tryOnce(pageBytes: number): number | 'done' {
  try {
    const { pages, isHeld } = bringIn(database)
    if (isHeld) return readersPause
    // The commit that begins a log anew would cut it down itself, and hold its thread for it: 140 ms for three gigabytes, measured.
    if (pages * pageBytes > journalSizeLimit && checkpoint(database, 'TRUNCATE').busy) return readersPause
    return 'done'
  } catch {
    // All is in the log.
    return failurePause
  }
}
