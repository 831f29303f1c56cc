import { QueryTimeoutError } from '../errors.ts'

/** What is left of the time that the database may spend on one read, however many statements it takes. Waiting for the database does not count. */
export class TimeBudget {
  #left: number
  #began = 0

  /** `limit` in milliseconds. */
  constructor(limit: number) {
    this.#left = limit
  }

  /** A statement begins: answers the milliseconds that it may take. Throws QueryTimeoutError when there are none. */
  begin(): number {
    if (this.#left <= 0) throw new QueryTimeoutError()
    this.#began = performance.now()
    return this.#left
  }

  /** The statement has ended. */
  end(): void {
    this.#left -= performance.now() - this.#began
  }
}
