import type { Codec, StoredKind } from '../engine.ts'
import { applicationId } from './application-id.ts'
import { quoteName } from './ddl.ts'
import { loadDriver, type SqliteDatabase } from './driver.ts'
import { mapError } from './errors.ts'
import { codecFor } from './values.ts'

/** A database file in the making, which nobody else has opened. */
export interface NewFile {
  codec(field: StoredKind): Codec
  define(sql: string): void
  /** Adds rows, whose values are in the file's own form, in the order of the columns. */
  insert(table: string, columns: readonly string[], rows: readonly (readonly unknown[])[]): void
  /** Ids up to this one are given away. */
  setLastCountedId(table: string, id: number): void
  /** Closes the file. Only then it is whole. */
  finish(): void
  /** Lets go of a file that is not wanted any more. */
  abandon(): void
}

/** Makes a database file, in one transaction. Blocks the thread. */
export async function makeSqliteFile(path: string): Promise<NewFile> {
  const driver = await loadDriver()
  const database = new driver(path, { timeout: 1_000 })
  const run = (sql: string, parameters: readonly unknown[] = []): void => attempt(() => database.prepare(sql).run(parameters))
  // Nobody reads the file before it is finished, and one that is not finished is thrown away.
  for (const pragma of ['journal_mode = OFF', 'synchronous = OFF', 'foreign_keys = OFF']) database.pragma(pragma)
  database.pragma(`application_id = ${applicationId}`)
  run('BEGIN')
  return {
    codec: codecFor,
    define: (sql) => run(sql),
    insert: (table, columns, rows) => insertRows(database, table, columns, rows),
    setLastCountedId: (table, id) => {
      run('DELETE FROM sqlite_sequence WHERE name = ?', [table])
      run('INSERT INTO sqlite_sequence (name, seq) VALUES (?, CAST(? AS INTEGER))', [table, id])
    },
    finish: () => {
      run('COMMIT')
      database.close()
    },
    abandon: () => database.close(),
  }
}

function insertRows(database: SqliteDatabase, table: string, columns: readonly string[], rows: readonly (readonly unknown[])[]): void {
  const places = columns.map(() => '?').join(', ')
  const insert = database.prepare(`INSERT INTO ${quoteName(table)} (${columns.map(quoteName).join(', ')}) VALUES (${places})`)
  attempt(() => {
    for (const row of rows) insert.run(row)
  })
}

function attempt(action: () => void): void {
  try {
    action()
  } catch (error) {
    throw mapError(error)
  }
}
