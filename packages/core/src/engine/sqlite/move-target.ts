import { open } from 'node:fs/promises'
import { type CountedTable, type MoveNotes, type MoveTarget, notesTable, readNotes, type TableLoad, wholeMove } from '../move-target.ts'
import { applicationId } from './application-id.ts'
import { quoteName, tableDefiner } from './ddl.ts'
import { loadDriver, type SqliteDatabase } from './driver.ts'
import { mapError } from './errors.ts'
import { smallCache } from './file-connection.ts'
import { codecFor } from './values.ts'

/**
 * Opens a file, made where there is none, readable by nobody but its owner. References are not looked at while rows come in any order. It
 * blocks the thread, and keeps everybody else out of the file.
 */
export async function openSqliteMoveTarget(path: string): Promise<MoveTarget> {
  const driver = await loadDriver()
  await (await open(path, 'a', 0o600)).close()
  let database: SqliteDatabase | undefined
  try {
    database = new driver(path, { timeout: 1_000 })
    for (const pragma of [smallCache, 'locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = NORMAL', 'foreign_keys = OFF'])
      database.pragma(pragma)
    // Takes the lock, which stays until the file is closed.
    database.prepare('BEGIN IMMEDIATE').run([])
    database.prepare('COMMIT').run([])
    return new SqliteMoveTarget(database)
  } catch (error) {
    database?.close()
    throw mapError(error)
  }
}

class SqliteMoveTarget implements MoveTarget {
  readonly definer = tableDefiner
  readonly referencesLast = false
  readonly codec = codecFor
  readonly #database: SqliteDatabase

  constructor(database: SqliteDatabase) {
    this.#database = database
  }

  async tables(): Promise<readonly string[]> {
    const sql = `SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> ?`
    return this.#all(sql, [notesTable]).map(({ name }) => String(name))
  }

  async notes(): Promise<MoveNotes | undefined> {
    if (this.#all('SELECT 1 FROM sqlite_schema WHERE name = ?', [notesTable]).length === 0) return undefined
    return readNotes(this.#all(`SELECT name, rows, last FROM ${notesTable}`))
  }

  async begin(statements: readonly string[], about: string): Promise<void> {
    this.#database.pragma(`application_id = ${applicationId}`)
    this.#together(() => {
      for (const sql of statements) this.#run(sql)
      this.#run(`CREATE TABLE ${notesTable} (name TEXT PRIMARY KEY, rows INTEGER NOT NULL, last TEXT) STRICT`)
      this.#run(`INSERT INTO ${notesTable} (name, rows, last) VALUES (?, 0, ?)`, [wholeMove, about])
    })
  }

  load(table: string, columns: readonly string[]): TableLoad {
    const places = columns.map(() => '?').join(', ')
    const insert = this.#database.prepare(`INSERT INTO ${quoteName(table)} (${columns.map(quoteName).join(', ')}) VALUES (${places})`)
    const note = this.#database.prepare(`INSERT OR REPLACE INTO ${notesTable} (name, rows, last) VALUES (?, CAST(? AS INTEGER), ?)`)
    return {
      add: async (rows) =>
        this.#mapped(() => {
          if (!this.#database.inTransaction) this.#run('BEGIN IMMEDIATE')
          for (const row of rows) insert.run(row)
        }),
      keep: async (now) =>
        this.#mapped(() => {
          if (!this.#database.inTransaction) return
          note.run([table, now.rows, now.last])
          this.#run('COMMIT')
        }),
    }
  }

  async complete(statements: readonly string[], counted: readonly CountedTable[]): Promise<void> {
    this.#together(() => {
      for (const sql of statements) this.#run(sql)
      for (const { table, last } of counted) {
        this.#run('DELETE FROM sqlite_sequence WHERE name = ?', [table])
        this.#run('INSERT INTO sqlite_sequence (name, seq) VALUES (?, CAST(? AS INTEGER))', [table, last])
      }
      const [orphan] = this.#all('PRAGMA foreign_key_check')
      if (orphan) throw new Error(`a record of ${String(orphan['table'])} points to nothing`)
      this.#run(`UPDATE ${notesTable} SET rows = 1 WHERE name = ?`, [wholeMove])
    })
    this.#toDisk()
  }

  async clear(tables: readonly string[]): Promise<void> {
    this.#together(() => {
      for (const table of [...tables, notesTable]) this.#run(`DROP TABLE IF EXISTS ${quoteName(table)}`)
    })
  }

  async finish(): Promise<void> {
    this.#run(`DROP TABLE ${notesTable}`)
    this.#toDisk()
  }

  async close(): Promise<void> {
    this.#database.close()
  }

  #toDisk(): void {
    this.#database.pragma('synchronous = FULL')
    this.#database.pragma('wal_checkpoint(TRUNCATE)')
  }

  #all(sql: string, parameters: readonly unknown[] = []): Record<string, unknown>[] {
    // better-sqlite3 hands out plain objects by column name.
    return this.#database.prepare(sql).all(parameters) as Record<string, unknown>[]
  }

  #run(sql: string, parameters: readonly unknown[] = []): void {
    this.#database.prepare(sql).run(parameters)
  }

  #together(work: () => void): void {
    this.#mapped(() => {
      this.#run('BEGIN IMMEDIATE')
      work()
      this.#run('COMMIT')
    })
  }

  #mapped(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (this.#database.inTransaction) this.#run('ROLLBACK')
      throw mapError(error)
    }
  }
}
