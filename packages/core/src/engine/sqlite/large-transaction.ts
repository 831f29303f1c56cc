import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { StorageBusyError, StorageUnavailableError } from '../../errors.ts'
import type { Connection, Statement, StoredRow, Unit } from '../engine.ts'
import { moduleUrl } from '../module-url.ts'
import { type StatementListener, StatementReport } from '../statement-listener.ts'
import type { TimeBudget } from '../time-budget.ts'
import { finished } from './connection.ts'
import { heardFailure, type LargeAnswer, type LargeCall, type LargeTask } from './large-messages.ts'
import { type PackedRows, packParameters, unpackRows } from './packed.ts'

/** A transaction on a connection of its own, in a thread of its own. */
export interface LargeTransaction {
  /** Runs a unit and commits it; answers after the commit, or throws after the rollback. `busyWait` as for any unit. */
  run<T>(unit: Unit<T>['run'], busyWait: number): Promise<T>
  /** Resolves when the thread has let go of the database. */
  readonly ended: Promise<void>
}

/** Milliseconds between two tries for the lock, at least and at random on top. */
const retryPause = { least: 5, jitter: 20 }

/**
 * Opens a connection in another thread. SQLite blocks its thread, and the commit of a million rows takes seconds: pages of the log that
 * were written more than once are read again for their checksums (walRewriteChecksums), and synced.
 */
export async function openElsewhere(task: LargeTask, onStatement: StatementListener | undefined): Promise<LargeTransaction> {
  const thread = new Thread(task)
  return {
    run: (unit, busyWait) => runElsewhere(thread, unit, busyWait, onStatement),
    ended: thread.ended,
  }
}

async function runElsewhere<T>(
  thread: Thread,
  unit: Unit<T>['run'],
  busyWait: number,
  onStatement: StatementListener | undefined,
): Promise<T> {
  try {
    await begin(thread, busyWait)
    const connection = new RemoteConnection(thread, onStatement)
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

/** MiB: what a call brings is soon forgotten. */
const resourceLimits = { maxYoungGenerationSizeMb: 8 }

/** Calls go over in lists, one after the other, and so do the answers. */
class Thread {
  readonly ended: Promise<void>
  readonly #worker: Worker
  readonly #waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = []
  readonly #later: LargeCall[] = []
  #failure: Error | undefined

  constructor(task: LargeTask) {
    this.#worker = new Worker(moduleUrl('./large-worker', import.meta.url), { workerData: task, name: 'strongroom', resourceLimits })
    this.ended = new Promise((resolve) => this.#worker.once('exit', () => resolve()))
    this.#worker.on('message', (answer: LargeAnswer) => {
      const call = this.#waiting.shift()
      if ('error' in answer) call?.reject(heardFailure(answer.error))
      else call?.resolve(answer.value)
    })
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(undefined))
  }

  /** Answers what the call does, which is done after those that were to be done later; or why the first of them failed. */
  call(call: LargeCall): Promise<unknown> {
    if (this.#failure) return Promise.reject(this.#failure)
    const before = this.#later.splice(0)
    // What was to be done before an end is not wanted any more.
    const calls = call.name === 'rollBack' || call.name === 'leave' ? [call] : [...before, call]
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#worker.postMessage(calls)
    })
  }

  /** Has something done together with the next call: each message wakes a thread up. */
  later(call: LargeCall): void {
    this.#later.push(call)
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

function packed({ sql, parameters }: Statement): Statement {
  return { sql, parameters: packParameters(parameters) }
}

/** The connection of a large unit. */
class RemoteConnection implements Connection {
  readonly #thread: Thread
  readonly #onStatement: StatementListener | undefined
  #ended = false

  constructor(thread: Thread, onStatement: StatementListener | undefined) {
    this.#thread = thread
    this.#onStatement = onStatement
  }

  end(): void {
    this.#ended = true
  }

  async all(statement: Statement, time?: TimeBudget): Promise<StoredRow[]> {
    const left = time?.begin()
    try {
      return unpackRows((await this.#call({ name: 'all', statement: packed(statement), left })) as PackedRows)
    } finally {
      time?.end()
    }
  }

  async run(statement: Statement): Promise<number> {
    return (await this.#call({ name: 'run', statement: packed(statement) })) as number
  }

  async raw(statement: Statement, { write }: { readonly write: boolean }): Promise<{ rows: StoredRow[]; changed: number }> {
    return (await this.#call({ name: 'raw', statement, write })) as { rows: StoredRow[]; changed: number }
  }

  savepoint(name: string): void {
    this.#later({ name: 'savepoint', savepoint: name })
  }

  release(name: string): void {
    this.#later({ name: 'release', savepoint: name })
  }

  rollbackTo(name: string): void {
    this.#later({ name: 'rollbackTo', savepoint: name })
  }

  /** Units never overlap here. */
  async lockTable(): Promise<void> {
    if (this.#ended) throw finished()
  }

  heldTo(): this {
    return this
  }

  /** Nobody waits for it; what comes next is not done where it fails. */
  #later(call: LargeCall): void {
    this.#assertUsable()
    this.#thread.later(call)
  }

  #assertUsable(): void {
    if (this.#ended) throw finished()
  }

  async #call(call: LargeCall): Promise<unknown> {
    this.#assertUsable()
    if (!this.#onStatement || !('statement' in call)) return await this.#thread.call(call)
    const { sql, parameters } = call.statement
    const start = performance.now()
    let failed = true
    try {
      const answer = await this.#thread.call(call)
      failed = false
      return answer
    } finally {
      this.#onStatement(new StatementReport(sql, parameters, start, failed))
    }
  }
}
