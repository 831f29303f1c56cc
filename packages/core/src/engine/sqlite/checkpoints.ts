import { Worker } from 'node:worker_threads'
import { moduleUrl } from '../module-url.ts'
import { syncMeanwhile } from '../sync-meanwhile.ts'
import { checkpointStatement, type LogState, logState } from './checkpoint.ts'
import type { CheckpointStep, CheckpointTask } from './checkpoint-worker.ts'
import type { SqliteDatabase, SqliteStatement } from './driver.ts'
import { journalSizeLimit } from './handle.ts'

/** Pages of the write-ahead log after which they are brought into the file; SQLite's default. */
const pagesBetween = 1_000

/** Pages, 16 MiB of them, that writers wait for at most: those that came after the last look of the thread. */
const mostHeld = 4_096

/** MiB: the thread keeps next to nothing. */
const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 }

/** Milliseconds after which a thread that was not needed again ends. */
const idleTime = 10_000

/**
 * Who brings the log into the file: a thread, since whoever does it waits for the disk, and an event loop that waits serves nobody. It does most of it
 * beside writers; for the last pages they wait in their queue, since only a log that is in the file as a whole begins anew, and stays short.
 */
export class Checkpoints {
  readonly #task: CheckpointTask
  readonly #database: SqliteDatabase
  /** Prepared once: every commit asks, and to prepare it costs three times as much (measured: 9 against 2.5 µs, and 20 after a pause). */
  readonly #tell: SqliteStatement
  readonly #holdWrites: () => Promise<() => void>
  readonly #pageBytes: number
  #thread: CheckpointThread | undefined
  #idle: NodeJS.Timeout | undefined
  #working = false
  /** A thread cannot be had, such as where a bundler has lost its file. */
  #alone = false
  #closing = false

  /** @param holdWrites has the writers of this process wait, until its answer is called */
  constructor(task: CheckpointTask, database: SqliteDatabase, holdWrites: () => Promise<() => void>) {
    this.#task = task
    this.#database = database
    this.#holdWrites = holdWrites
    this.#tell = checkpointStatement(database, 'NOOP')
    this.#pageBytes = Number(database.pragma('page_size', { simple: true }))
    database.pragma('wal_autocheckpoint = 0')
  }

  /** Looks at the log, after a commit. */
  look(): void {
    if (this.#working || this.#alone) return
    const state = this.#state()
    if (state.pages - state.inFile < pagesBetween && !this.#isLarge(state)) return
    this.#working = true
    void this.#work(state)
  }

  /** Resolves when no thread is at it; a log that has grown long is brought into the file first. */
  async close(): Promise<void> {
    this.look()
    this.#closing = true
    clearTimeout(this.#idle)
    await this.#thread?.end()
  }

  async #work({ pages, inFile }: LogState): Promise<void> {
    clearTimeout(this.#idle)
    try {
      // Nobody is held while a thread starts.
      const isNew = this.#thread === undefined
      this.#thread ??= new CheckpointThread(this.#task)
      if (isNew || pages - inFile > mostHeld) await this.#bringIn(this.#thread)
      await this.#finish(this.#thread)
      if (!this.#closing) this.#idle = setTimeout(() => this.#letGo(), idleTime).unref()
    } catch {
      this.#thread = undefined
      // SQLite's own way, in the commits: somebody has to.
      if (!this.#closing) this.#database.pragma(`wal_autocheckpoint = ${pagesBetween}`)
      this.#alone = true
    }
    this.#working = false
  }

  /** A database that need not be on the disk is not synced, either. */
  #bringIn(thread: CheckpointThread): Promise<void> {
    const { path, synchronous } = this.#task
    return syncMeanwhile({ held: synchronous === 'OFF' ? [] : [path] }, thread.do('bringIn'))
  }

  async #finish(thread: CheckpointThread): Promise<void> {
    if (this.#closing) return
    const letGo = await this.#holdWrites()
    try {
      const state = this.#state()
      // Whoever wrote until now may have left much, which is for another time.
      if (state.pages - state.inFile <= mostHeld || this.#isLarge(state)) await thread.do('finish')
    } finally {
      letGo()
    }
  }

  #letGo(): void {
    void this.#thread?.end()
    this.#thread = undefined
  }

  #isLarge({ pages }: LogState): boolean {
    return pages * this.#pageBytes > journalSizeLimit
  }

  #state(): LogState {
    try {
      return logState(this.#tell)
    } catch {
      // Such as a full disk: all is in the log, and after the next commit it is tried again.
      return { pages: 0, inFile: 0 }
    }
  }
}

class CheckpointThread {
  readonly #worker: Worker
  readonly #gone: Promise<void>
  #hasEnded = false
  #answered: PromiseWithResolvers<void> | undefined

  constructor(task: CheckpointTask) {
    this.#worker = new Worker(moduleUrl('./checkpoint-worker', import.meta.url), { workerData: task, name: 'strongroom', resourceLimits })
    this.#worker.on('message', () => this.#answered?.resolve())
    // It exits after that.
    this.#worker.once('error', () => undefined)
    this.#gone = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#hasEnded = true
        this.#answered?.reject(hasEnded())
        resolve()
      })
    })
    // A program that does not close its storage may end.
    this.#worker.unref()
  }

  /** Rejects when the thread ends before. */
  do(step: CheckpointStep): Promise<void> {
    if (this.#hasEnded) return Promise.reject(hasEnded())
    this.#answered = Promise.withResolvers<void>()
    this.#worker.postMessage(step)
    return this.#answered.promise
  }

  /** It waits for no reader any more. */
  async end(): Promise<void> {
    this.#worker.ref()
    this.#worker.postMessage('end' satisfies CheckpointStep)
    await this.#gone
  }
}

const hasEnded = (): Error => new Error('The thread that brings the log into the file has ended.')
