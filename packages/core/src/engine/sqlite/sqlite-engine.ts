import type { Kysely } from 'kysely'
import { ConflictError } from '../../errors.ts'
import type { Field } from '../../model/model.ts'
import type {
  AnyDatabase,
  Awaitable,
  Codec,
  ColumnDefinition,
  Connection,
  DatabasePlace,
  Engine,
  EngineCapabilities,
  EngineHealth,
  Statement,
  StoredKind,
  StoredRow,
  TableOptions,
  TableShape,
  Unit,
} from '../engine.ts'
import { isPromise } from '../is-promise.ts'
import type { LogGuard } from '../log-guard.ts'
import type { ColumnTarget, TableChange } from '../table-change.ts'
import type { TimeBudget } from '../time-budget.ts'
import { changeTable } from './change-table.ts'
import { allowedValues, columnDefinition, columnType, createTableSql, idDefinition, quoteName } from './ddl.ts'
import { dependentsOf } from './dependents.ts'
import type { Handle } from './handle.ts'
import { inTime } from './in-time.ts'
import { inspectTables } from './inspect.ts'
import { jsonFunctions } from './json-text.ts'
import { sqliteBuilder } from './kysely-builder.ts'
import { guardSql, isGuarded, unguardSql } from './log-guard.ts'
import { measureDisk } from './measure-disk.ts'
import { readInPieces, setEach } from './pieces.ts'
import type { Reader } from './reader.ts'
import { textFunctions } from './text.ts'
import { codecFor } from './values.ts'
import type { WriteLane } from './write-lane.ts'

export interface SqliteEngineParts {
  /** The absolute path of the file. */
  readonly path: string
  readonly writer: Handle
  readonly reader: Reader
  readonly lane: WriteLane
  /** Called when nobody writes any more, before the connections are closed. */
  readonly closeLog?: () => Promise<void>
  /** Called when everything is closed. */
  readonly afterClose: () => void
}

/** SQLite behind the interface of engines: one connection that writes, one that reads. */
export class SqliteEngine implements Engine {
  readonly name = 'sqlite'
  /** Processes that have the file open do not know each other. */
  readonly signals = undefined
  readonly capabilities: EngineCapabilities = {
    serialWrites: true,
    rowLocks: false,
    forwardReferences: true,
    narrowSums: true,
    countedIdInIndexes: true,
    oneFile: true,
    insertOrFail: true,
    textWithNul: true,
    guessesValues: false,
    rowSecurity: false,
    // SQLite's default for host parameters, which better-sqlite3 keeps.
    maxParameters: 32_766,
  }
  readonly builder: Kysely<AnyDatabase> = sqliteBuilder()
  readonly text = textFunctions
  readonly json = jsonFunctions
  readonly inTime = inTime
  readonly insertWithEntry = undefined
  readonly entryChanges = undefined
  readonly lists = undefined
  readonly copies = undefined
  readonly place: DatabasePlace
  readonly #parts: SqliteEngineParts
  #closing: Promise<void> | undefined

  constructor(parts: SqliteEngineParts) {
    this.#parts = parts
    this.place = { engine: 'sqlite', path: parts.path }
  }

  read<T>(work: (connection: Connection) => Awaitable<T>): Awaitable<T> {
    return this.#parts.reader.read(work)
  }

  readMoment<T>(work: (connection: Connection) => Awaitable<T>): Promise<T> {
    return this.#parts.reader.readMoment(work)
  }

  stream(statement: Statement, chunkSize: number): AsyncIterable<StoredRow[]> {
    return this.#parts.reader.stream(statement, chunkSize)
  }

  write<T>(unit: Unit<T>): Promise<T> {
    return this.#parts.lane.write(unit)
  }

  codec(field: StoredKind): Codec {
    return codecFor(field)
  }

  columnDefinition(column: ColumnDefinition): string {
    return columnDefinition(column)
  }

  createTableSql(table: string, definitions: readonly string[]): string {
    return createTableSql(table, definitions)
  }

  idDefinition(column: ColumnDefinition, options: TableOptions): string {
    return idDefinition(column, options)
  }

  columnType(column: Pick<ColumnDefinition, 'kind'>): string {
    return columnType(column)
  }

  allowedValues(column: Pick<ColumnDefinition, 'kind' | 'values'>): readonly (string | number)[] | undefined {
    return allowedValues(column)
  }

  inspect(connection: Pick<Connection, 'all'>): Promise<TableShape[]> {
    return inspectTables(connection)
  }

  async define<T>(work: (connection: Connection) => Promise<T>, { changesTables = false } = {}): Promise<T> {
    const { lane } = this.#parts
    const run = async (connection: Connection): Promise<T> => {
      const answer = await work(connection)
      if (changesTables) await checkReferences(connection)
      return answer
    }
    try {
      return await lane.write({ alone: true, timeLimit: Number.POSITIVE_INFINITY, changesTables, defines: true, run })
    } finally {
      this.refresh()
    }
  }

  changeTable(connection: Connection, change: TableChange): Promise<void> {
    const { database } = this.#parts.writer
    return changeTable(connection, change, async (work) => {
      database.pragma('legacy_alter_table = ON')
      try {
        await work()
      } finally {
        database.pragma('legacy_alter_table = OFF')
      }
    })
  }

  async dropPlainIndex(connection: Connection, name: string): Promise<void> {
    const { database } = this.#parts.writer
    database.pragma('secure_delete = FAST')
    try {
      await connection.run({ sql: `DROP INDEX IF EXISTS ${quoteName(name)}`, parameters: [] })
    } finally {
      database.pragma('secure_delete = ON')
    }
  }

  dependentsOf(connection: Connection, table: string, column: string): Promise<string[]> {
    return dependentsOf(connection, table, column)
  }

  async setColumn(
    connection: Connection,
    { table, id, column }: ColumnTarget,
    rows: readonly (readonly [unknown, unknown])[],
  ): Promise<void> {
    const sql = `UPDATE ${quoteName(table)} SET ${quoteName(column.name)} = ? WHERE ${quoteName(id.name)} = ?`
    for (const [key, value] of rows) await connection.run({ sql, parameters: [value, key] })
  }

  lastCountedId(connection: Connection, table: string): Awaitable<number> {
    const found = connection.all({ sql: 'SELECT seq FROM sqlite_sequence WHERE name = ?', parameters: [table] })
    const last = ([row]: readonly StoredRow[]): number => Number(row?.['seq'] ?? 0)
    return isPromise(found) ? found.then(last) : last(found)
  }

  advanceIds(connection: Connection, table: string, _idColumn: string, id: number): Awaitable<void> {
    const raised = connection.run({
      sql: 'UPDATE sqlite_sequence SET seq = max(seq, CAST(? AS INTEGER)) WHERE name = ?',
      parameters: [id, table],
    })
    const added = connection.run({
      sql: 'INSERT INTO sqlite_sequence (name, seq) SELECT ?, CAST(? AS INTEGER) WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?)',
      parameters: [table, id, table],
    })
    if (isPromise(raised) || isPromise(added)) return Promise.all([raised, added]).then(() => undefined)
  }

  setEach(connection: Connection, table: string, columns: readonly Field[], rows: readonly (readonly unknown[])[]): Awaitable<void> {
    return setEach(connection, table, columns, rows)
  }

  inPieces(connection: Connection, sql: string, size: number, use: (rows: readonly StoredRow[]) => Promise<void>): Promise<void> {
    return readInPieces(connection, sql, size, use)
  }

  isGuarded(connection: Pick<Connection, 'all'>, guard: LogGuard): Promise<boolean> {
    return isGuarded(connection, guard)
  }

  guardSql(guard: LogGuard): string[] {
    return [...unguardSql(guard), ...guardSql(guard)]
  }

  holdWrites(): Promise<() => void> {
    return this.#parts.lane.hold()
  }

  watch(tables: readonly string[]): (() => number | undefined) | undefined {
    return this.#parts.writer.marks?.watch(tables)
  }

  /** What they leave stands beside the file. */
  async removeLeftovers(): Promise<boolean> {
    return true
  }

  refresh(): void {
    this.#parts.writer.statements.clear()
    this.#parts.reader.refreshSchema()
  }

  async health(time?: TimeBudget): Promise<EngineHealth> {
    const queue = this.#parts.lane.load()
    const sql = 'SELECT sqlite_version() AS version, page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()'
    const [row] = await this.read((connection) => connection.all({ sql, parameters: [] }, time))
    const databaseBytes = Number(row?.bytes)
    return { version: `SQLite ${row?.version}`, databaseBytes, ...(await measureDisk(this.#parts.path)), queue }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { lane, reader, writer, closeLog, afterClose } = this.#parts
    await Promise.all([lane.close(), reader.close()])
    await closeLog?.()
    try {
      writer.database.pragma('wal_checkpoint(TRUNCATE)')
    } catch {
      // Everything acknowledged is in the write-ahead log, and the next opening reads it from there.
    }
    writer.database.close()
    afterClose()
  }

  /** A file knows no tenants: the conditions of the statements alone hold the line. */
  holdTenants(): void {}

  tenantPolicies(): ReadonlyMap<string, string> {
    return new Map()
  }

  tenantPolicy(): undefined {
    return undefined
  }

  tenantPolicySql(): string[] {
    return []
  }
}

/** While tables are written anew nobody looks at references; nothing is committed where one leads nowhere. */
async function checkReferences(connection: Connection): Promise<void> {
  const sql = 'SELECT "table", "parent", count(*) AS count FROM pragma_foreign_key_check GROUP BY "table", "parent"'
  const broken = await connection.all({ sql, parameters: [] })
  if (broken.length === 0) return
  const told = broken.map(({ table, parent, count }) => `${count} of ${table} to ${parent}`)
  throw new ConflictError('reference_conflict', `References would lead nowhere: ${told.join(', ')}. Nothing was changed.`)
}
