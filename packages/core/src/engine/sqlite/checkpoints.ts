import { Worker } from 'node:worker_threads'
import { moduleUrl } from '../module-url.ts'
import { checkpointStatement, type LogState, logState } from './checkpoint.ts'
import type { CheckpointTask } from './checkpoint-worker.ts'
import type { SqliteDatabase, SqliteStatement } from './driver.ts'
import { journalSizeLimit } from './handle.ts'

/** Pages of the write-ahead log after which they are brought into the file; SQLite's default. */
const pagesBetween = 1_000

/** Pages, 16 MiB of them, that a commit brings into the file in some tens of milliseconds; more than that are for another thread. */
const mostHere = 4_096

/** MiB: the thread keeps next to nothing. */
const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 }

/**
 * Who brings the log into the file: the commits of this thread, little by little. Where much has gathered (somebody has read one moment of
 * the database for long, or written much, or a process was killed), another thread does, and no commit holds the event loop for it.
 */
export class Checkpoints {
  readonly #task: CheckpointTask
  /** Prepared once: every commit asks, and to prepare it costs three times as much (measured: 9 against 2.5 µs, and 20 after a pause). */
  readonly #tell: SqliteStatement
  readonly #bringIn: SqliteStatement
  readonly #pageBytes: number
  #thread: CheckpointThread | undefined
  /** A thread cannot be had, such as where a bundler has lost its file. */
  #alone = false

  constructor(task: CheckpointTask, database: SqliteDatabase) {
    this.#task = task
    this.#tell = checkpointStatement(database, 'NOOP')
    this.#bringIn = checkpointStatement(database, 'PASSIVE')
    this.#pageBytes = Number(database.pragma('page_size', { simple: true }))
    database.pragma('wal_autocheckpoint = 0')
  }

  /** Looks at the log, after a commit. Answers what is to be done in this thread, if anything is: it waits for the disk. */
  look(): (() => void) | undefined {
    if (this.#thread) return undefined
    const { pages, inFile } = this.#ask(this.#tell)
    const left = pages - inFile
    if (!this.#alone && (left > mostHere || pages * this.#pageBytes > journalSizeLimit)) this.#start()
    else if (left >= pagesBetween) return () => void this.#ask(this.#bringIn)
    return undefined
  }

  #ask(statement: SqliteStatement): LogState {
    try {
      return logState(statement)
    } catch {
      // Such as a full disk: all is in the log, and after the next commit it is tried again.
      return { pages: 0, inFile: 0 }
    }
  }

  /** Resolves when no thread is at it; a log that has grown long is brought into the file first. */
  async close(): Promise<void> {
    this.look()
    await this.#thread?.end()
  }

  #start(): void {
    this.#thread = new CheckpointThread(this.#task, ({ failed }) => {
      this.#thread = undefined
      this.#alone ||= failed
    })
  }
}

class CheckpointThread {
  readonly #worker: Worker
  readonly #gone: Promise<void>

  constructor(task: CheckpointTask, onEnd: (how: { readonly failed: boolean }) => void) {
    this.#worker = new Worker(moduleUrl('./checkpoint-worker', import.meta.url), { workerData: task, name: 'strongroom', resourceLimits })
    let failed = false
    this.#worker.once('error', () => {
      failed = true
    })
    this.#gone = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        onEnd({ failed })
        resolve()
      })
    })
    // A program that does not close its storage may end.
    this.#worker.unref()
  }

  /** It waits for no reader any more. */
  async end(): Promise<void> {
    this.#worker.ref()
    this.#worker.postMessage('end')
    await this.#gone
  }
}
