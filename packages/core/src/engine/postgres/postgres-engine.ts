import type { Field } from '../../model/model.ts'
import type {
  Codec,
  ColumnDefinition,
  Connection,
  Engine,
  EngineCapabilities,
  EngineHealth,
  Reach,
  Statement,
  StoredKind,
  StoredRow,
  TableOptions,
  TableShape,
  Unit,
} from '../engine.ts'
import type { EntryChanges } from '../entry-change.ts'
import type { LogGuard } from '../log-guard.ts'
import type { ColumnTarget, TableChange } from '../table-change.ts'
import type { TimeBudget } from '../time-budget.ts'
import { changeTable, setColumn } from './change-table.ts'
import { entryChanges } from './change-with-entry.ts'
import type { PostgresPlace } from './connect.ts'
import type { Connector } from './connector.ts'
import { copyInserts } from './copy-insert.ts'
import { advanceIds, allowedValues, columnDefinition, columnType, createTableSql, idDefinition } from './ddl.ts'
import { define } from './define.ts'
import { dependentsOf } from './dependents.ts'
import { Gate } from './gate.ts'
import { HeldTables } from './held-tables.ts'
import { insertWithEntry } from './insert-with-entry.ts'
import { inspectTables } from './inspect.ts'
import { kyselyBuilder } from './kysely-builder.ts'
import { listInserts } from './list-insert.ts'
import { guardSql, isGuarded } from './log-guard.ts'
import { readMoment } from './moment.ts'
import { quoteName } from './names.ts'
import { OpenStreams } from './open-streams.ts'
import { readInPieces, setEach } from './pieces.ts'
import { ClientPool, type PoolOptions } from './pool.ts'
import { ReadConnection } from './reader.ts'
import { removeStaging } from './remove-staging.ts'
import { tenantPolicies, tenantPolicy, tenantPolicySql } from './row-security.ts'
import { PostgresSignals } from './signals.ts'
import { streamRows } from './stream.ts'
import { textFunctions } from './text.ts'
import { runDefinition, runUnit, type UnitOptions } from './transaction.ts'
import { codecFor } from './values.ts'

export interface PostgresParts extends Omit<UnitOptions, 'pool'> {
  readonly connector: Connector
  readonly pool: PoolOptions
  /** Where sessions of their own are had. */
  readonly place: PostgresPlace
  /** The role passes policies: it is a superuser, or has BYPASSRLS. */
  readonly passesPolicies: boolean
  /** Something stood there, at the opening, that restores fill. */
  readonly foundStaging: boolean
}

/** A large import's entries are sealed in a minute, and those who ask for the log's order wait for that. */
const asideLine = {
  wait: 120_000,
  refusal: 'The audit log is being sealed or shortened, which takes minutes after a very large write. Nothing was done; try again.',
}

/** The contents page of this folder: each method hands over to the file that knows. */
export class PostgresEngine implements Engine {
  readonly name = 'postgres'
  readonly capabilities: EngineCapabilities
  readonly text = textFunctions
  /** jsonb has other spaces, and numbers of other digits. */
  readonly json = undefined
  readonly inTime = undefined
  readonly insertWithEntry = insertWithEntry
  readonly entryChanges: EntryChanges | undefined
  readonly lists = listInserts
  readonly copies = copyInserts((table) => this.capabilities.rowSecurity && this.#held?.mayBeIn(quoteName(table)) === true)
  readonly builder = kyselyBuilder()
  readonly place: PostgresPlace
  readonly signals: PostgresSignals | undefined
  readonly #pool: ClientPool
  /** One connection for units that do not wait with those of callers; it is made when it is needed. */
  readonly #aside: ClientPool
  readonly #units: UnitOptions
  readonly #gate = new Gate()
  readonly #streams = new OpenStreams()
  #held: HeldTables | undefined
  #foundStaging: boolean
  #closing: Promise<void> | undefined

  constructor(parts: PostgresParts) {
    this.#pool = new ClientPool(parts.connector, parts.pool)
    this.#aside = new ClientPool(parts.connector, { connectWait: parts.pool.connectWait, poolSize: 1, line: asideLine })
    this.place = parts.place
    // Where nothing stays prepared, to plan this one takes longer than to wait for the answer of a small one.
    this.entryChanges = parts.place.pooled ? undefined : entryChanges
    // A pooler of transactions would leave a session listening that others get next.
    this.signals = parts.place.pooled ? undefined : new PostgresSignals(parts.place, this.#pool)
    this.#foundStaging = parts.foundStaging
    this.#units = { pool: this.#pool, retries: parts.retries, limits: parts.limits }
    this.capabilities = {
      insertOrFail: false,
      textWithNul: false,
      guessesValues: true,
      serialWrites: false,
      rowLocks: true,
      forwardReferences: false,
      narrowSums: false,
      countedIdInIndexes: false,
      oneFile: false,
      rowSecurity: !parts.passesPolicies,
      // the protocol counts them in 16 bits; some are left for what the library adds
      maxParameters: 60_000,
    }
  }

  async read<T>(work: (connection: Connection) => T | Promise<T>, reach: Reach = 'every'): Promise<T> {
    return await this.#gate.during(async () => {
      const connection = new ReadConnection(this.#pool, this.#said(reach), this.#held)
      try {
        return await work(connection)
      } finally {
        connection.finish()
      }
    })
  }

  async readMoment<T>(work: (connection: Connection) => T | Promise<T>): Promise<T> {
    return await this.#gate.during(() => readMoment(this.#pool, work))
  }

  stream(statement: Statement, chunkSize: number, reach: Reach = 'every'): AsyncIterable<StoredRow[]> {
    return this.#streams.read(this.#chunks(statement, chunkSize, reach))
  }

  async *#chunks(statement: Statement, chunkSize: number, reach: Reach): AsyncGenerator<StoredRow[], void, undefined> {
    const leave = this.#gate.enter()
    try {
      yield* streamRows(this.#pool, statement, chunkSize, this.#said(reach))
    } finally {
      leave()
    }
  }

  async write<T>(unit: Unit<T>): Promise<T> {
    const units = unit.aside ? { ...this.#units, pool: this.#aside } : this.#units
    return await this.#gate.during(() => runUnit(units, unit, this.#said(unit.reach)))
  }

  async define<T>(work: (connection: Connection) => Promise<T>, options: { readonly changesTables?: boolean } = {}): Promise<T> {
    return await this.#gate.during(() => define(this.#units, work, options))
  }

  async changeTable(connection: Connection, change: TableChange): Promise<void> {
    await changeTable(connection, change)
  }

  async dropPlainIndex(connection: Connection, name: string): Promise<void> {
    await connection.run({ sql: `DROP INDEX IF EXISTS ${quoteName(name)}`, parameters: [] })
  }

  dependentsOf(connection: Connection, table: string, column: string): Promise<string[]> {
    return dependentsOf(connection, table, column)
  }

  async setColumn(connection: Connection, target: ColumnTarget, rows: readonly (readonly [unknown, unknown])[]): Promise<void> {
    await setColumn(connection, target, rows)
  }

  async inspect(connection: Pick<Connection, 'all'>): Promise<TableShape[]> {
    return await inspectTables(connection)
  }

  async renewStatistics(tables: readonly string[]): Promise<void> {
    const sql = `ANALYZE ${tables.map(quoteName).join(', ')}`
    await this.#gate.during(() => runDefinition(this.#units, async (connection) => connection.run({ sql, parameters: [] })))
  }

  async advanceIds(connection: Connection, table: string, idColumn: string, id: number): Promise<void> {
    await advanceIds(connection, table, idColumn, id)
  }

  async setEach(connection: Connection, table: string, columns: readonly Field[], rows: readonly (readonly unknown[])[]): Promise<void> {
    await setEach(connection, table, columns, rows)
  }

  inPieces(connection: Connection, sql: string, size: number, use: (rows: readonly StoredRow[]) => Promise<void>): Promise<void> {
    return readInPieces(connection, sql, size, use)
  }

  holdTenants(tables: Iterable<string>): void {
    this.#held = new HeldTables(tables)
  }

  /** Nothing has to be said where no table asks for it. */
  #said(reach: Reach): Reach | undefined {
    return this.#held ? reach : undefined
  }

  async tenantPolicies(connection: Pick<Connection, 'all'>): Promise<ReadonlyMap<string, string>> {
    return await tenantPolicies(connection)
  }

  tenantPolicy(field: Field): string {
    return tenantPolicy(field)
  }

  tenantPolicySql(table: string, field: Field): string[] {
    return tenantPolicySql(table, field)
  }

  async isGuarded(connection: Pick<Connection, 'all'>, guard: LogGuard): Promise<boolean> {
    return await isGuarded(connection, guard)
  }

  guardSql(guard: LogGuard): string[] {
    return guardSql(guard)
  }

  /** Whoever puts other tables in their place locks them, for all processes. */
  async holdWrites(): Promise<() => void> {
    return () => undefined
  }

  /** The server tells its sessions itself when tables change. */
  refresh(): void {}

  /** The server tells of changes later than at once. */
  watch(): undefined {}

  async removeLeftovers(): Promise<boolean> {
    if (this.#foundStaging && (await this.#gate.during(() => removeStaging(this.place)))) this.#foundStaging = false
    return !this.#foundStaging
  }

  async health(time?: TimeBudget): Promise<EngineHealth> {
    const queue = this.#pool.load()
    const sql = `SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS bytes`
    const [row] = await this.read((connection) => connection.all({ sql, parameters: [] }, time))
    // distributions add their own name: 17.9 (Debian 17.9-1)
    const [version] = String(row?.['version']).split(' ')
    return { version: `PostgreSQL ${version}`, databaseBytes: Number(row?.['bytes']), walBytes: null, freeDiskBytes: null, queue }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([this.#gate.close(), this.#streams.end(), this.signals?.close()])
    await Promise.all([this.#pool.close(), this.#aside.close()])
  }

  codec(field: StoredKind): Codec {
    return codecFor(field)
  }

  columnDefinition(column: ColumnDefinition): string {
    return columnDefinition(column)
  }

  columnType(column: Pick<ColumnDefinition, 'kind' | 'precision' | 'scale'>): string {
    return columnType(column)
  }

  allowedValues(column: Pick<ColumnDefinition, 'kind' | 'values'>): readonly (string | number)[] | undefined {
    return allowedValues(column)
  }

  idDefinition(column: ColumnDefinition, options: TableOptions): string {
    return idDefinition(column, options)
  }

  createTableSql(table: string, definitions: readonly string[]): string {
    return createTableSql(table, definitions)
  }
}
