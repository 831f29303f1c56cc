import type { Connection, Statement, StoredRow } from '../engine.ts'
import type { TimeBudget } from '../time-budget.ts'
import { readOutside, sessionFinished } from './connection.ts'
import { unauditedWrite } from './errors.ts'
import type { ClientPool } from './pool.ts'
import { withinTime } from './within-time.ts'

/** Reads outside any unit: each statement takes a client from the pool for itself. It writes nothing. */
export class ReadConnection implements Connection {
  readonly #pool: ClientPool
  #finished = false

  constructor(pool: ClientPool) {
    this.#pool = pool
  }

  async all(statement: Statement, time?: TimeBudget): Promise<StoredRow[]> {
    this.#assertOpen()
    const { rows } = await this.#pool.use((client) => withinTime(client, time, () => client.query(statement)))
    return rows
  }

  async raw(statement: Statement, options: { readonly write: boolean }): Promise<{ rows: StoredRow[]; changed: number }> {
    this.#assertOpen()
    if (options.write) throw unauditedWrite()
    return await this.#pool.use((client) => readOutside(client, statement))
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
