import { TransactionTimeoutError, UsageError } from '../../errors.ts'
import type { Connection, Statement, StoredRow } from '../engine.ts'
import type { LateWrite } from '../late-write.ts'
import type { TimeBudget } from '../time-budget.ts'
import { everyTable, tableWritten } from './change-marks.ts'
import { quoteName } from './ddl.ts'
import { mapError } from './errors.ts'
import type { Handle } from './handle.ts'
import { narrow, type PreparedStatement, readRow, readRows } from './statement-cache.ts'
import { guardRawSql, refuseWrite } from './statement-guard.ts'

/** What one unit, or one read, may do to the database, until `end` is called. */
export class SqliteConnection implements Connection {
  readonly #handle: Handle
  /** When the unit's time is over, on the clock of `performance.now()`. */
  readonly deadline: number
  readonly late: LateWrite | undefined
  #failure: Error | undefined
  #ended = false
  #wrote = false

  constructor(handle: Handle, deadline: number) {
    this.#handle = handle
    this.deadline = deadline
    this.late = handle.late
  }

  /** Why the unit cannot be committed whatever its code answers: the transaction is gone, or its time is over. */
  get failure(): Error | undefined {
    // Reads have no such time, and need no look at the clock.
    if (this.deadline !== Number.POSITIVE_INFINITY && !this.#failure && performance.now() > this.deadline) this.#failure = timeout()
    return this.#failure
  }

  get ended(): boolean {
    return this.#ended
  }

  /** A statement has changed something. One that fails is undone by SQLite itself, unless a trigger of the app's own says RAISE(FAIL). */
  get wrote(): boolean {
    return this.#wrote
  }

  end(): void {
    this.#ended = true
  }

  all(statement: Statement, time?: TimeBudget): StoredRow[] {
    this.#assertUsable()
    const { clock } = this.#handle
    clock.start(this.deadline, timeout, time)
    try {
      const prepared = this.#prepared(statement.sql)
      const rows = prepared.reader ? readRows(prepared, statement.parameters) : []
      if (!prepared.reader) prepared.statement.run(statement.parameters)
      this.#wrote ||= prepared.changes !== undefined
      return rows
    } catch (error) {
      throw this.#failed(error)
    } finally {
      clock.stop()
    }
  }

  first(statement: Statement, time?: TimeBudget): StoredRow | undefined {
    this.#assertUsable()
    const { clock } = this.#handle
    clock.start(this.deadline, timeout, time)
    try {
      return readRow(this.#prepared(statement.sql), statement.parameters)
    } catch (error) {
      throw this.#failed(error)
    } finally {
      clock.stop()
    }
  }

  run(statement: Statement): number {
    this.#assertUsable()
    try {
      const { changes } = this.#prepared(statement.sql).statement.run(statement.parameters)
      this.#wrote = true
      return changes
    } catch (error) {
      throw this.#failed(error, statement.sql)
    }
  }

  insertedId(statement: Statement): number | bigint | undefined {
    this.#assertUsable()
    try {
      const { changes, lastInsertRowid } = this.#prepared(statement.sql).statement.run(statement.parameters)
      this.#wrote = true
      // A trigger of the app's own may have passed over the row.
      return changes === 1 ? lastInsertRowid : undefined
    } catch (error) {
      throw this.#failed(error, statement.sql)
    }
  }

  firstInsertedId(statement: Statement): number | undefined {
    this.#assertUsable()
    try {
      const { statement: insert, changes: table } = this.#prepared(statement.sql)
      if (table === everyTable) return undefined
      const { changes, lastInsertRowid } = insert.run(statement.parameters)
      this.#wrote = true
      return Number(lastInsertRowid) - changes + 1
    } catch (error) {
      throw this.#failed(error, statement.sql)
    }
  }

  raw(statement: Statement, options: { readonly write: boolean }): { rows: StoredRow[]; changed: number } {
    this.#assertUsable()
    const write = options.write && !this.#handle.readonly
    guardRawSql(statement.sql, write)
    this.#wrote ||= write
    try {
      this.late?.settle(this)
      const prepared = this.#prepared(statement.sql)
      const readonly = prepared.statement.readonly
      if (!readonly && !write) refuseWrite()
      if (!prepared.reader) return { rows: [], changed: prepared.statement.run(statement.parameters).changes }
      const rows = readExactly(prepared, statement.parameters)
      return { rows, changed: readonly ? 0 : this.#changes() }
    } catch (error) {
      throw this.#failed(error)
    }
  }

  savepoint(name: string): void {
    this.#control(`SAVEPOINT ${quoteName(name)}`)
    this.late?.openSavepoint(name)
  }

  release(name: string): void {
    this.#control(`RELEASE ${quoteName(name)}`)
    this.late?.keepSavepoint(name)
  }

  rollbackTo(name: string): void {
    this.#control(`ROLLBACK TO ${quoteName(name)}`)
    this.#control(`RELEASE ${quoteName(name)}`)
    this.late?.dropSavepoint(name)
  }

  /** Units never overlap here. */
  lockTable(): void {
    this.#assertUsable()
  }

  heldTo(): this {
    return this
  }

  #control(sql: string): void {
    this.#assertUsable()
    if (this.#handle.readonly) {
      throw new UsageError('outer_handle', 'A read outside a transaction has no savepoints. Use storage.transaction(fn).')
    }
    try {
      this.#handle.statements.get(sql).statement.run([])
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /** A statement that is about to run. */
  #prepared(sql: string): PreparedStatement {
    const { statements, marks } = this.#handle
    const prepared = statements.get(sql)
    if (prepared.changes !== undefined) marks?.touch(prepared.changes)
    if (this.late && this.late.rows.length > 0) this.#settleFor(this.late, prepared, sql)
    return prepared
  }

  /** Whoever asks for what waits finds it written, and so do triggers of the app's own, which may ask for anything. */
  #settleFor(late: LateWrite, prepared: PreparedStatement, sql: string): void {
    prepared.seesLate ??= prepared.changes === everyTable || late.isAbout(sql)
    if (prepared.seesLate) late.settle(this)
  }

  #changes(): number {
    const [row] = readRows(this.#handle.statements.get('SELECT changes() AS changed'), [])
    return Number(row?.changed)
  }

  #assertUsable(): void {
    if (this.#ended) throw finished()
    if (this.failure) throw this.failure
  }

  /** After some failures SQLite has rolled the whole transaction back: a further statement would commit by itself. */
  #failed(error: unknown, writing?: string): Error {
    const mapped = mapError(error)
    const { readonly, database } = this.#handle
    if (!readonly && !database.inTransaction) this.#failure = mapped
    else if (writing !== undefined) this.#wrote ||= tableWritten(database, writing) === everyTable
    return mapped
  }
}

export function finished(): UsageError {
  return new UsageError(
    'session_finished',
    'This transaction has ended. Await everything that belongs to it before its callback returns, or start a new transaction.',
  )
}

export function timeout(): TransactionTimeoutError {
  return new TransactionTimeoutError(
    'The transaction took longer than its time limit and was rolled back. Make it shorter, or raise the limit.',
  )
}

/** Somebody else's SQL may compute integers past 2^53 anywhere. */
function readExactly(prepared: PreparedStatement, parameters: readonly unknown[]): StoredRow[] {
  if (prepared.exact) return readRows(prepared, parameters)
  prepared.statement.safeIntegers(true)
  try {
    // better-sqlite3 hands out plain objects by column name.
    const rows = prepared.statement.all(parameters) as StoredRow[]
    for (const row of rows) narrow(row)
    return rows
  } finally {
    prepared.statement.safeIntegers(false)
  }
}
