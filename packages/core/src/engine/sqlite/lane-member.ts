import type { Unit } from '../engine.ts'
import { isPromise } from '../is-promise.ts'
import { SqliteConnection } from './connection.ts'
import type { Handle } from './handle.ts'

/** What the lane needs to know of a unit of work. */
export type LaneUnit<T> = Pick<Unit<T>, 'alone' | 'timeLimit' | 'large' | 'failsEarly' | 'run'> & {
  /** Tables are written anew: foreign keys are off, which SQLite does outside of transactions alone. */
  readonly changesTables?: boolean
  /** It makes tables and indexes, which goes through all of their rows. */
  readonly defines?: boolean
}

/** A unit on the lane, and its outcome, which is withheld until the commit. */
export class LaneMember {
  readonly unit: LaneUnit<unknown>
  readonly enqueuedAt = performance.now()
  /** Its first try was lost with somebody else's transaction: now it runs in one of its own. */
  again = false
  failed = false
  readonly #resolve: (value: unknown) => void
  readonly #reject: (error: unknown) => void
  #connection: SqliteConnection | undefined
  #value: unknown

  constructor(unit: LaneUnit<unknown>, resolve: (value: unknown) => void, reject: (error: unknown) => void) {
    this.unit = unit
    this.#resolve = resolve
    this.#reject = reject
  }

  /** Runs the unit; answers its promise when it turns out to wait for something. */
  start(handle: Handle): PromiseLike<unknown> | undefined {
    this.#connection = new SqliteConnection(handle, performance.now() + this.unit.timeLimit)
    try {
      const result = this.unit.run(this.#connection)
      if (isPromise(result)) return result
      this.finish(false, result)
    } catch (error) {
      this.finish(true, error)
    }
    return undefined
  }

  /** Milliseconds until the unit's time is over. */
  get timeLeft(): number {
    return this.#connection ? Math.max(0, this.#connection.deadline - performance.now()) : this.unit.timeLimit
  }

  get finished(): boolean {
    return this.#connection?.ended ?? false
  }

  /** It has changed something in the database. */
  get wrote(): boolean {
    return this.#connection?.wrote ?? false
  }

  /** Notes the outcome and ends the unit's connection. A unit that kept quiet about a lost transaction has failed too. */
  finish(failed: boolean, value: unknown): void {
    const failure = this.#connection?.failure
    this.#connection?.end()
    this.failed = failed || failure !== undefined
    this.#value = failed ? value : (failure ?? value)
  }

  /** Tells the outcome to whoever waits for it. */
  settle(): void {
    if (this.failed) this.#reject(this.#value)
    else this.#resolve(this.#value)
  }

  reject(error: unknown): void {
    this.#reject(error)
  }
}
