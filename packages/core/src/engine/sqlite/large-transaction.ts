import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { StorageBusyError, StorageUnavailableError } from '../../errors.ts'
import type { Connection, Statement, StoredRow, Unit } from '../engine.ts'
import { moduleUrl } from '../module-url.ts'
import type { TimeBudget } from '../time-budget.ts'
import { finished } from './connection.ts'
import { heardFailure, type LargeAnswer, type LargeCall, type LargeTask } from './large-messages.ts'

/** A transaction on a connection of its own, in a thread of its own. */
export interface LargeTransaction {
  /** Runs a unit and commits it; answers after the commit, or throws after the rollback. `busyWait` as for any unit. */
  run<T>(unit: Unit<T>['run'], busyWait: number): Promise<T>
  /** Resolves when the thread is through: it brings the log into the file after the commit. */
  readonly ended: Promise<void>
}

/** Milliseconds between two tries for the lock, at least and at random on top. */
const retryPause = { least: 5, jitter: 20 }

/**
 * Opens a connection in another thread. SQLite blocks its thread, and the commit of a million rows takes seconds: pages of the log that
 * were written more than once are read again for their checksums (walRewriteChecksums), synced, and brought into the file.
 */
export async function openElsewhere(task: LargeTask): Promise<LargeTransaction> {
  const thread = new Thread(task)
  return {
    run: (unit, busyWait) => runElsewhere(thread, unit, busyWait),
    ended: thread.ended,
  }
}

async function runElsewhere<T>(thread: Thread, unit: Unit<T>['run'], busyWait: number): Promise<T> {
  try {
    await begin(thread, busyWait)
    const connection = new RemoteConnection(thread)
    try {
      const value = await unit(connection)
      connection.end()
      await thread.call({ name: 'commit' })
      return value
    } catch (error) {
      connection.end()
      await thread.call({ name: 'rollBack' })
      throw error
    }
  } finally {
    thread.leave()
  }
}

async function begin(thread: Thread, busyWait: number): Promise<void> {
  const giveUpAt = performance.now() + busyWait
  for (;;) {
    try {
      return void (await thread.call({ name: 'begin' }))
    } catch (error) {
      if (!(error instanceof StorageBusyError) || performance.now() >= giveUpAt) throw error
    }
    await pause(retryPause.least + Math.random() * retryPause.jitter)
  }
}

/** Calls go over one after the other, and so do the answers. */
class Thread {
  readonly ended: Promise<void>
  readonly #worker: Worker
  readonly #waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = []
  #failure: Error | undefined

  constructor(task: LargeTask) {
    this.#worker = new Worker(moduleUrl('./large-worker', import.meta.url), { workerData: task, name: 'strongroom' })
    this.ended = new Promise((resolve) => this.#worker.once('exit', () => resolve()))
    this.#worker.on('message', (answer: LargeAnswer) => {
      const call = this.#waiting.shift()
      if ('error' in answer) call?.reject(heardFailure(answer.error))
      else call?.resolve(answer.value)
    })
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(undefined))
  }

  call(call: LargeCall): Promise<unknown> {
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#worker.postMessage(call)
    })
  }

  /** Lets the thread end when it is through; nobody waits for what it does until then. */
  leave(): void {
    this.call({ name: 'leave' }).catch(() => undefined)
  }

  #fail(cause: unknown): void {
    this.#failure ??= new StorageUnavailableError(
      'storage_unavailable',
      'The thread that wrote to the database has ended. Nothing was written.',
      { cause },
    )
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure)
  }
}

/** The connection of a large unit. */
class RemoteConnection implements Connection {
  readonly #thread: Thread
  #ended = false

  constructor(thread: Thread) {
    this.#thread = thread
  }

  end(): void {
    this.#ended = true
  }

  async all(statement: Statement, time?: TimeBudget): Promise<StoredRow[]> {
    const left = time?.begin()
    try {
      return (await this.#call({ name: 'all', statement, left })) as StoredRow[]
    } finally {
      time?.end()
    }
  }

  async run(statement: Statement): Promise<number> {
    return (await this.#call({ name: 'run', statement })) as number
  }

  async raw(statement: Statement, { write }: { readonly write: boolean }): Promise<{ rows: StoredRow[]; changed: number }> {
    return (await this.#call({ name: 'raw', statement, write })) as { rows: StoredRow[]; changed: number }
  }

  async savepoint(name: string): Promise<void> {
    await this.#call({ name: 'savepoint', savepoint: name })
  }

  async release(name: string): Promise<void> {
    await this.#call({ name: 'release', savepoint: name })
  }

  async rollbackTo(name: string): Promise<void> {
    await this.#call({ name: 'rollbackTo', savepoint: name })
  }

  /** Units never overlap here. */
  async lockTable(): Promise<void> {
    if (this.#ended) throw finished()
  }

  async #call(call: LargeCall): Promise<unknown> {
    if (this.#ended) throw finished()
    return await this.#thread.call(call)
  }
}
