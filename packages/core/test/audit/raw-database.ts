import Database from 'better-sqlite3'
import pg from 'pg'
import { expect, vi } from 'vitest'

/** A row as the driver hands it out. */
export type Row = Readonly<Record<string, unknown>>

/** A database as somebody has it who passes by the library. */
export interface RawDatabase {
  run(sql: string): Promise<void>
  all(sql: string): Promise<Row[]>
  close(): Promise<void>
}

/** Opens a database past the library, with what its driver does unless told otherwise. */
export async function rawDatabase(url: string): Promise<RawDatabase> {
  if (url.startsWith('sqlite:')) {
    const database = new Database(url.slice('sqlite:'.length))
    return {
      run: async (sql) => void database.exec(sql),
      all: async (sql) => database.prepare(sql).all() as Row[],
      close: async () => void database.close(),
    }
  }
  const client = new pg.Client(url)
  await client.connect()
  return {
    run: async (sql) => void (await client.query(sql)),
    all: async (sql) => (await client.query(sql)).rows,
    close: () => client.end(),
  }
}

/** Rows that PostgreSQL believes tables to have, -1 where it has not looked. */
export async function believedRows(url: string, tables: readonly string[]): Promise<Row[]> {
  const database = await rawDatabase(url)
  const names = tables.map((table) => `'${table}'::regclass`).join()
  const rows = await database.all(`SELECT relname AS table, reltuples AS rows FROM pg_class WHERE oid IN (${names}) ORDER BY 1`)
  await database.close()
  return rows
}

/** Does something to a database past the library, with the triggers of its log dropped. */
export async function tamper(url: string, ...statements: readonly string[]): Promise<void> {
  const database = await rawDatabase(url)
  try {
    await dropTriggers(url, database)
    for (const sql of statements) await database.run(sql)
  } finally {
    await database.close()
  }
}

/**
 * Waits until a database has let go of a program that was killed, by its PGAPPNAME: a server goes on with what it was sent, and commits it
 * after the sender's end. What has a file open for itself ends with its process.
 */
export async function untilGone(url: string, program: string): Promise<void> {
  if (url.startsWith('sqlite:')) return
  const database = await rawDatabase(url)
  const left = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = '${program}'`
  try {
    await vi.waitFor(async () => expect(await database.all(left)).toEqual([]))
  } finally {
    await database.close()
  }
}

async function dropTriggers(url: string, database: RawDatabase): Promise<void> {
  const isFile = url.startsWith('sqlite:')
  const sql = isFile
    ? `SELECT name, tbl_name AS place FROM sqlite_schema WHERE type = 'trigger' AND tbl_name LIKE 'strongroom_audit_%'`
    : // Other tests have schemas of their own in the same database, and drop them meanwhile.
      `SELECT t.tgname AS name, c.relname AS place FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal AND c.relnamespace = to_regnamespace(current_schema()) AND c.relname LIKE 'strongroom_audit_%'`
  for (const { name, place } of await database.all(sql)) await database.run(`DROP TRIGGER "${name}"${isFile ? '' : ` ON ${place}`}`)
}
