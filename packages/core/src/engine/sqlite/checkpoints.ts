import { statSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { moduleUrl } from '../module-url.ts'
import type { SqliteDatabase } from './driver.ts'

/** Pages of the write-ahead log after which a commit brings them into the file; SQLite's default. */
export const pagesBetweenCheckpoints = 1_000

/** Bytes of a log, 16 MiB, that a commit brings into the file in some tens of milliseconds; more than that is for another thread. */
const mostBytesHere = 16_777_216

/**
 * Who brings the log into the file: the commits of this thread, little by little. While somebody reads one moment of the database, or
 * writes much, they get nowhere, and the first commit afterwards would bring all of it, and hold the event loop for as long.
 */
export class Checkpoints {
  readonly #path: string
  readonly #database: SqliteDatabase
  readonly #pauses = new Set<Promise<void>>()

  constructor(path: string, database: SqliteDatabase) {
    this.#path = path
    this.#database = database
  }

  /** Commits of this thread bring nothing into the file until `ended`. Resolves when a thread has done so, where there is much. */
  pauseUntil(ended: Promise<unknown>): Promise<void> {
    if (this.#pauses.size === 0) this.#every(0)
    const over = this.#catchUp(ended).finally(() => {
      this.#pauses.delete(over)
      if (this.#pauses.size === 0) this.#every(pagesBetweenCheckpoints)
    })
    this.#pauses.add(over)
    return over
  }

  /** Resolves when all pauses are over. */
  async settled(): Promise<void> {
    await Promise.all(this.#pauses)
  }

  async #catchUp(ended: Promise<unknown>): Promise<void> {
    await ended.catch(() => undefined)
    const bytes = statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0
    if (bytes <= mostBytesHere) return
    const worker = new Worker(moduleUrl('./checkpoint-worker', import.meta.url), { workerData: this.#path, name: 'strongroom' })
    await new Promise<void>((resolve) => {
      // Where it fails, the next commit tries.
      worker.once('error', () => resolve())
      worker.once('exit', () => resolve())
    })
  }

  #every(pages: number): void {
    this.#database.pragma(`wal_autocheckpoint = ${pages}`)
  }
}
