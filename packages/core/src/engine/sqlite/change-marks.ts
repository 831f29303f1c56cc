import type { SqliteDatabase, SqliteStatement } from './driver.ts'

const none: readonly unknown[] = []

/** Stands for all tables. */
export const everyTable = ''

/**
 * Knows whether tables have changed, for next to nothing (2 µs): SQLite tells whether another connection, of whichever process, has
 * committed anything, and the connection that writes says of its own commits which tables they touched.
 */
export class ChangeMarks {
  readonly #database: SqliteDatabase
  readonly #onOtherSchema: () => void
  readonly #dataVersion: SqliteStatement
  /** How often commits of the writer touched a table. */
  readonly #counts = new Map<string, number>()
  /** What the open transaction has touched. */
  readonly #touched = new Set<string>()
  /** Tables that only statements of their own change. */
  readonly #plain = new Map<string, boolean>()
  /** Grows with whatever marks are made of. */
  #commits = 0
  #others = 0
  #version: number
  #schema: number

  /** @param onOtherSchema is called when somebody else has changed the tables */
  constructor(database: SqliteDatabase, onOtherSchema: () => void) {
    this.#database = database
    this.#onOtherSchema = onOtherSchema
    this.#dataVersion = database.prepare('PRAGMA data_version').pluck(true)
    this.#version = this.dataVersion()
    this.#schema = this.#readSchema()
  }

  /** A statement of the writer may have changed a table. */
  touch(table: string): void {
    this.#touched.add(table)
  }

  /** The transaction has ended, in whichever way: after a commit that failed nobody can be sure. */
  transactionEnded(): void {
    if (this.#touched.size === 0) return
    for (const table of this.#touched) this.#counts.set(table, this.#countOf(table) + 1)
    this.#commits += 1
    if (this.#touched.has(everyTable)) this.#plain.clear()
    this.#touched.clear()
  }

  /** Answers a number that has grown whenever a commit may have changed one of the tables; undefined where the database itself changes rows of one (ON DELETE CASCADE). */
  watch(tables: readonly string[]): () => number | undefined {
    const folded = tables.map((table) => table.toLowerCase())
    let known: number | undefined
    let from = -1
    return () => {
      this.#lookForOthers()
      if (from !== this.#commits) known = this.#markOf(folded)
      from = this.#commits
      return known
    }
  }

  #markOf(folded: readonly string[]): number | undefined {
    let mark = this.#others + this.#countOf(everyTable)
    for (const table of folded) {
      if (!this.#isPlain(table)) return undefined
      mark += this.#countOf(table)
    }
    return mark
  }

  #lookForOthers(): void {
    const version = this.dataVersion()
    if (version === this.#version) return
    this.#version = version
    this.#others += 1
    this.#commits += 1
    const schema = this.#readSchema()
    if (schema === this.#schema) return
    this.#schema = schema
    this.#plain.clear()
    this.#onOtherSchema()
  }

  #countOf(table: string): number {
    return this.#counts.get(table) ?? 0
  }

  #isPlain(table: string): boolean {
    const known = this.#plain.get(table)
    if (known !== undefined) return known
    const sql = `SELECT 1 FROM pragma_foreign_key_list(?) WHERE on_update NOT IN ('NO ACTION', 'RESTRICT') OR on_delete NOT IN ('NO ACTION', 'RESTRICT')`
    const plain = this.#database.prepare(sql).all([table]).length === 0
    this.#plain.set(table, plain)
    return plain
  }

  /** SQLite's number that is another one when another connection has committed anything since. */
  dataVersion(): number {
    return Number(this.#dataVersion.get(none))
  }

  #readSchema(): number {
    return Number(this.#database.pragma('schema_version', { simple: true }))
  }
}

const written = /^\s*(?:insert(?:\s+or\s+\w+)?\s+into|replace\s+into|update(?:\s+or\s+\w+)?|delete\s+from)\s+"((?:[^"]|"")+)"(?!\s*\.)/i

/** The table that a statement which is not read-only changes: all of them where that cannot be told, or where triggers change more. */
export function tableWritten(database: SqliteDatabase, sql: string): string {
  const [, quoted] = written.exec(sql) ?? []
  if (quoted === undefined) return everyTable
  const table = quoted.replaceAll('""', '"').toLowerCase()
  // Those of the library guard its log, and change nothing.
  const triggers = `SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE AND name NOT LIKE 'strongroom\\_%' ESCAPE '\\'`
  return database.prepare(triggers).all([table]).length === 0 ? table : everyTable
}
