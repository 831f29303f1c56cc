import type { PgBinding, PgCallback, PgDriver, PgQuery, PgRows } from './driver.ts'
import { reachName } from './row-security.ts'

/** Makes a query that says first whose rows it touches; a session has to have prepared that (`prepareReach`). */
export type HeldQuery = new (query: PgQuery, reach: readonly string[], callback: PgCallback) => PgRows

const made = new WeakMap<PgDriver, HeldQuery>()

/**
 * Queries that travel with the words of whose rows they touch. Up to its end the protocol holds both in one transaction, which says nothing
 * to whoever comes next. BEGIN, SET LOCAL and COMMIT around a read do the same, and cost more than the read itself (read off a profile).
 */
export function heldQueries(driver: PgDriver): HeldQuery {
  const known = made.get(driver)
  if (known) return known
  const HeldQuery = class extends driver.Query {
    readonly #reach: readonly string[]
    /** What comes back now is the statement's own. */
    #isSaid = false

    constructor(query: PgQuery, reach: readonly string[], callback: PgCallback) {
      super(query, undefined, callback)
      this.#reach = reach
    }

    override prepare(connection: PgBinding): void {
      connection.bind({ statement: reachName, values: this.#reach, valueMapper: String })
      connection.execute({})
      super.prepare(connection)
    }

    override handleDataRow(message: unknown): void {
      if (this.#isSaid) super.handleDataRow(message)
    }

    override handleCommandComplete(message: unknown, connection: unknown): void {
      if (this.#isSaid) super.handleCommandComplete(message, connection)
      this.#isSaid = true
    }
  }
  made.set(driver, HeldQuery)
  return HeldQuery
}
