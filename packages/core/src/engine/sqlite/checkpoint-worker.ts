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

/** What the thread is asked for: to bring the log in beside writers, until little is left; the rest, while none writes; to end. */
export type CheckpointStep = 'bringIn' | 'finish' | 'end'

/** Milliseconds for which writers of other processes may be kept waiting until all readers of the log are through. */
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
const database = new driver(path, { fileMustExist: true, timeout: patience })
database.pragma(`synchronous = ${synchronous}`)
const pageBytes = Number(database.pragma('page_size', { simple: true }))

/** One at a time: who asks waits for the answer. */
let working: Promise<void> = Promise.resolve()
port.on('message', (step: CheckpointStep) => {
  if (step === 'end') {
    ending.abort()
    void working.then(end)
  } else {
    working = (step === 'bringIn' ? mostOfIt() : finish()).then(() => port.postMessage('done'))
  }
})

function end(): void {
  database.close()
  port?.close()
}

/** Waits for readers of what came before, unless the database is being closed. */
async function mostOfIt(): Promise<void> {
  for (let next = tryOnce(); next !== 'done' && !ending.signal.aborted; next = tryOnce()) {
    await pause(next, undefined, { signal: ending.signal }).catch(() => undefined)
  }
}

/** Answers after how many milliseconds to try again, if at all. */
function tryOnce(): number | 'done' {
  try {
    return bringIn(database).isHeld ? readersPause : 'done'
  } catch {
    // All is in the log.
    return failurePause
  }
}

async function finish(): Promise<void> {
  try {
    const { pages } = checkpoint(database, 'PASSIVE')
    // The commit that begins a log anew would cut it down itself, and hold its thread for it: 140 ms for three gigabytes, measured.
    if (pages * pageBytes > journalSizeLimit) checkpoint(database, 'TRUNCATE')
  } catch {
    // All is in the log, and the next commit has it looked at again.
  }
}
