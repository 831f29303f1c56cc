import type { Connection, Reach, Statement, StoredRow } from '../engine.ts'
import type { TimeBudget } from '../time-budget.ts'
import type { Client, Result } from './client.ts'
import { sessionFinished } from './connection.ts'
import { unauditedWrite } from './errors.ts'
import type { HeldTables } from './held-tables.ts'
import { readHeld, readOutside } from './outside.ts'
import type { ClientPool } from './pool.ts'
import { reachValues } from './row-security.ts'
import { withinTime } from './within-time.ts'

/** Reads outside any unit: each statement takes a client from the pool for itself, unless there is one for all of them. It writes nothing. */
export class ReadConnection implements Connection {
  readonly #pool: Pick<ClientPool, 'use'>
  readonly #reach: Reach | undefined
  readonly #held: HeldTables | undefined
  #finished = false

  /**
   * @param reach undefined where no table holds its rows to tenants
   * @param held the tables that do; any unless said
   */
  constructor(pool: Pick<ClientPool, 'use'>, reach: Reach | undefined, held?: HeldTables) {
    this.#pool = pool
    this.#reach = reach
    this.#held = held
  }

  heldTo(reach: Reach): Connection {
    return this.#reach === undefined ? this : new ReadConnection(this.#pool, reach, this.#held)
  }

  async all(statement: Statement, time?: TimeBudget): Promise<StoredRow[]> {
    this.#assertOpen()
    const reach = this.#held?.mayBeIn(statement.sql) === false ? undefined : this.#reach
    const { rows } = await this.#pool.use((client) => withinTime(client, time, () => read(client, statement, reach)))
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

function read(client: Client, statement: Statement, reach: Reach | undefined): Promise<Result> {
  if (reach === undefined) return client.query(statement)
  return client.heldQuery(statement, reachValues(reach)) ?? readHeld(client, statement, reach)
}
