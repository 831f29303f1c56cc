import type { Connection, Reach, Statement, StoredRow } from '../engine.ts'
import type { TimeBudget } from '../time-budget.ts'
import { readHeld, readOutside, sessionFinished } from './connection.ts'
import { unauditedWrite } from './errors.ts'
import type { ClientPool } from './pool.ts'
import { withinTime } from './within-time.ts'

/** Reads outside any unit: each statement takes a client from the pool for itself, unless there is one for all of them. It writes nothing. */
export class ReadConnection implements Connection {
  readonly #pool: Pick<ClientPool, 'use'>
  readonly #reach: Reach | undefined
  #finished = false

  /** `reach` is undefined where no table holds its rows to tenants. */
  constructor(pool: Pick<ClientPool, 'use'>, reach: Reach | undefined) {
    this.#pool = pool
    this.#reach = reach
  }

  heldTo(reach: Reach): Connection {
    return this.#reach === undefined ? this : new ReadConnection(this.#pool, reach)
  }

  async all(statement: Statement, time?: TimeBudget): Promise<StoredRow[]> {
    this.#assertOpen()
    const reach = this.#reach
    const { rows } = await this.#pool.use((client) =>
      withinTime(client, time, () => (reach === undefined ? client.query(statement) : readHeld(client, statement, reach))),
    )
    return rows
  }

  async raw(statement: Statement, options: { readonly write: boolean }): Promise<{ rows: StoredRow[]; changed: number }> {
    this.#assertOpen()
    if (options.write) throw unauditedWrite()
    return await this.#pool.use((client) => readOutside(client, statement, this.#reach))
  }

  async run(): Promise<number> {
    throw unauditedWrite()
  }

  async savepoint(): Promise<void> {
    throw unauditedWrite()
  }

  async release(): Promise<void> {
    throw unauditedWrite()
  }

  async rollbackTo(): Promise<void> {
    throw unauditedWrite()
  }

  async lockTable(): Promise<void> {
    throw unauditedWrite()
  }

  finish(): void {
    this.#finished = true
  }

  #assertOpen(): void {
    if (this.#finished) throw sessionFinished()
  }
}
