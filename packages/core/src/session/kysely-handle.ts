import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type OperationNode,
  type QueryResult,
  type RootOperationNode,
} from 'kysely'
import { type AnyDatabase, type Awaitable, type Connection, ConstraintViolation, type Statement, type StoredRow } from '../engine/engine.ts'
import { ConflictError, type StrongroomError, UsageError, ValidationError } from '../errors.ts'
import { isReading, writtenTables } from './written-tables.ts'

/** Where the statements of a Kysely handle go, and what they may touch. */
export interface HandleTarget {
  /** Compiles for the engine. */
  readonly builder: Kysely<AnyDatabase>
  /** Tables that only accessors write to. */
  readonly isWatched: (table: string) => boolean
  /** Writes to watched tables, and raw ones, are let through. */
  readonly unaudited: () => boolean
  /** Runs a statement that only reads. */
  read<T>(work: (connection: Connection) => Awaitable<T>): Awaitable<T>
  /** Runs a statement that may write. */
  write<T>(work: (connection: Connection) => Awaitable<T>): Awaitable<T>
}

/** Makes a Kysely instance that runs its statements in the storage, and keeps them from writing past the audit log. */
export function kyselyHandle(target: HandleTarget): Kysely<AnyDatabase> {
  const executor = target.builder.getExecutor()
  return new Kysely<AnyDatabase>({
    dialect: {
      createAdapter: () => executor.adapter,
      createQueryCompiler: () => ({ compileQuery: (node, queryId) => executor.compileQuery(node, queryId) }),
      createDriver: () => new HandleDriver(new HandleConnection(target)),
      createIntrospector: () => {
        throw new UsageError('outer_handle', 'This handle has no introspection; openStorage compares the tables with the models itself.')
      },
    },
  })
}

class HandleDriver implements Driver {
  readonly #connection: DatabaseConnection

  constructor(connection: DatabaseConnection) {
    this.#connection = connection
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }

  async beginTransaction(): Promise<never> {
    throw new UsageError(
      'outer_handle',
      'Transactions are started with storage.transaction(async (session) => …), which gives session.kysely.',
    )
  }

  async commitTransaction(): Promise<void> {}

  async rollbackTransaction(): Promise<void> {}

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<never> {
    throw new UsageError('outer_handle', 'This handle belongs to a storage; close that with storage.close().')
  }
}

class HandleConnection implements DatabaseConnection {
  readonly #target: HandleTarget

  constructor(target: HandleTarget) {
    this.#target = target
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const statement = { sql: query.sql, parameters: query.parameters }
    const { rows, changed } = await this.#runNamed(query.query, statement)
    // Kysely's caller has stated the row type of the query; the engine hands out plain objects.
    return { rows: rows as Row[], ...(changed !== undefined && { numAffectedRows: BigInt(changed) }) }
  }

  // biome-ignore lint/correctness/useYield: this generator exists to refuse
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new UsageError('outer_handle', 'Rows are streamed with accessor.stream(…).')
  }

  /** What the tables refuse is told as accessors tell it. */
  async #runNamed(node: RootOperationNode, statement: Statement): Promise<{ rows: StoredRow[]; changed?: number }> {
    try {
      return await this.#run(node, statement)
    } catch (error) {
      throw error instanceof ConstraintViolation ? refusedByTable(error) : error
    }
  }

  #run(node: RootOperationNode, statement: Statement): Awaitable<{ rows: StoredRow[]; changed?: number }> {
    const target = this.#target
    if (target.unaudited()) return target.write((connection) => connection.raw(statement, { write: true }))
    if (isReading(node)) return target.read((connection) => connection.raw(statement, { write: false }))
    this.#refuseWatched(node)
    return target.write((connection) => connection.raw(statement, { write: true }))
  }

  #refuseWatched(node: OperationNode): void {
    for (const table of writtenTables(node)) {
      if (table !== undefined && !this.#target.isWatched(table)) continue
      const what =
        table === undefined ? 'This statement writes to a table that cannot be told' : `"${table}" belongs to a model or to the audit log`
      throw new UsageError(
        'unaudited_write',
        `${what}. Write through its accessor, or say storage.transaction(fn, { unaudited: true }), which leaves an audit entry that says so.`,
      )
    }
  }
}

function refusedByTable(violation: ConstraintViolation): StrongroomError {
  const { kind, columns } = violation
  const table = violation.table === undefined ? 'the table' : violation.table
  if (kind === 'unique')
    return new ConflictError('unique_conflict', `A row of ${table} has the same key already.`, columns, { cause: violation })
  if (kind === 'reference') {
    return new ConflictError('reference_conflict', `A row of ${table} would point, or be pointed to, where nothing is.`, columns, {
      cause: violation,
    })
  }
  const message = kind === 'notNull' ? 'must not be null' : 'is refused by a check of the table'
  return new ValidationError([{ path: columns.join(), message }], { cause: violation })
}
