import type { StoredRow } from '../engine.ts'
import { tableWritten } from './change-marks.ts'
import type { SqliteDatabase, SqliteStatement } from './driver.ts'

/** A prepared statement with what is worth knowing of it. */
export interface PreparedStatement {
  readonly statement: SqliteStatement
  readonly reader: boolean
  /** It is read as bigints first, since a column may hold integers past 2^53. */
  readonly exact: boolean
  /** The table that it changes, as `ChangeMarks` has it; undefined where it changes none. */
  readonly changes: string | undefined
  /** Whether it may look at what waits for the commit; unknown before that was asked. */
  seesLate?: boolean
}

/** Characters of SQL in a generation: SQLite keeps some 100 bytes for each, outside the heap. */
const mostCharacters = 250_000

/**
 * Prepared statements by their SQL, about the `capacity` last used ones. Two generations stand in for an exact order
 * of use: a statement that is found in the old one moves to the young one, and a full young one becomes the old one.
 */
export class StatementCache {
  readonly #database: SqliteDatabase
  readonly #capacity: number
  #young = new Map<string, PreparedStatement>()
  #old = new Map<string, PreparedStatement>()
  #characters = 0

  constructor(database: SqliteDatabase, capacity = 500) {
    this.#database = database
    this.#capacity = capacity
  }

  get(sql: string): PreparedStatement {
    return this.#young.get(sql) ?? this.#admit(sql, this.#old.get(sql) ?? prepare(this.#database, sql))
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
    this.#characters = 0
  }

  #admit(sql: string, prepared: PreparedStatement): PreparedStatement {
    if (this.#young.size >= this.#capacity / 2 || this.#characters + sql.length > mostCharacters) {
      this.#old = this.#young
      this.#young = new Map()
      this.#characters = 0
    }
    this.#young.set(sql, prepared)
    this.#characters += sql.length
    return prepared
  }
}

function prepare(database: SqliteDatabase, sql: string): PreparedStatement {
  const statement = database.prepare(sql)
  const exact = statement.reader && statement.columns().some((column) => mayBeWide(column.type))
  if (exact) statement.safeIntegers(true)
  return { statement, reader: statement.reader, exact, changes: statement.readonly ? undefined : tableWritten(database, sql) }
}

/** Fields that may pass 2^53 are declared INT where others are INTEGER; an expression (no type) may be anything. */
function mayBeWide(type: string | null): boolean {
  return type === null || !/^(INTEGER|TEXT|REAL|BLOB)$/i.test(type)
}

/** Rows of a statement: integers are numbers while those are exact, and bigints beyond. */
export function readRows(prepared: PreparedStatement, parameters: readonly unknown[]): StoredRow[] {
  // better-sqlite3 hands out plain objects by column name.
  const rows = prepared.statement.all(parameters) as StoredRow[]
  if (prepared.exact) for (const row of rows) narrow(row)
  return rows
}

/** The first row of a statement: to look for no other one saves a twentieth of a read by its id. */
export function readRow(prepared: PreparedStatement, parameters: readonly unknown[]): StoredRow | undefined {
  // As above.
  const row = prepared.statement.get(parameters) as StoredRow | undefined
  if (row && prepared.exact) narrow(row)
  return row
}

/** Turns the bigints of a row that a number holds exactly into numbers. */
export function narrow(row: StoredRow): void {
  for (const name in row) {
    const value = row[name]
    if (typeof value === 'bigint' && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) row[name] = Number(value)
  }
}
