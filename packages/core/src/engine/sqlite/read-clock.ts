import { QueryTimeoutError } from '../../errors.ts'
import type { TimeBudget } from '../time-budget.ts'
import type { SqliteDatabase } from './driver.ts'

/** The name of the function in queries; no object of the schema uses it, so that other programs can open the file. */
export const inTimeFunction = 'strongroom_in_time'

/** Stops the statement of a connection from the inside: better-sqlite3 has no interrupt. */
export class ReadClock {
  #time: TimeBudget | undefined
  /** When the read's time is over; unknown before the first look, which starts its clock: most statements end before it. */
  #readEnds: number | undefined
  #unitEnds = Number.POSITIVE_INFINITY
  #tooLate: () => Error = () => new QueryTimeoutError()

  constructor(database: SqliteDatabase) {
    database.function(inTimeFunction, { deterministic: false, directOnly: true }, () => this.#look())
  }

  /** A statement begins. `unitEnds` is when its unit's time is over, on the clock of `performance.now()`, and `tooLate` makes the error then. */
  start(unitEnds: number, tooLate: () => Error, time: TimeBudget | undefined): void {
    this.#unitEnds = unitEnds
    this.#tooLate = tooLate
    this.#time = time
  }

  stop(): void {
    if (this.#readEnds !== undefined) this.#time?.end()
    this.#unitEnds = Number.POSITIVE_INFINITY
    this.#readEnds = undefined
    this.#time = undefined
  }

  #look(): 1 {
    const now = performance.now()
    if (now > this.#unitEnds) throw this.#tooLate()
    if (!this.#time) return 1
    this.#readEnds ??= now + this.#time.begin()
    if (now > this.#readEnds) throw new QueryTimeoutError()
    return 1
  }
}
