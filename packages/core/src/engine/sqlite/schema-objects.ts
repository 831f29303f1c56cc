import { loadDriver } from './driver.ts'
import { type FileConnection, openFile } from './file-connection.ts'

/** Something that a database defines: a table, index, view or trigger, and the SQL that made it. */
export interface SchemaObject {
  readonly type: string
  readonly name: string
  readonly sql: string | null
}

/** What a file defines, without what SQLite makes for itself. */
export function objectsOf(file: Pick<FileConnection, 'all'>): SchemaObject[] {
  const rows = file.all('SELECT type, name, sql FROM sqlite_schema')
  return rows
    .map(({ type, name, sql }) => ({ type: String(type), name: String(name), sql: sql === null ? null : String(sql) }))
    .filter((object) => !isOwn(object))
}

/** SQLite's own tables, in the words in which it makes them. */
const ownTables: Readonly<Record<string, string>> = {
  sqlite_sequence: 'CREATE TABLE sqlite_sequence(name,seq)',
  sqlite_stat1: 'CREATE TABLE sqlite_stat1(tbl,idx,stat)',
  sqlite_stat4: 'CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)',
}

function isOwn({ type, name, sql }: SchemaObject): boolean {
  if (type === 'index') return sql === null && name.startsWith('sqlite_autoindex_')
  return type === 'table' && sql !== null && Object.hasOwn(ownTables, name) && ownTables[name] === sql
}

/** What the statements define, as a database would tell it. */
export async function objectsDefinedBy(statements: readonly string[]): Promise<SchemaObject[]> {
  const driver = await loadDriver()
  const database = new driver(':memory:', { timeout: 0 })
  try {
    for (const statement of statements) database.prepare(statement).run([])
    const all = (sql: string) => database.prepare(sql).all([]) as Record<string, unknown>[]
    return objectsOf({ all })
  } finally {
    database.close()
  }
}

/** What a file on the disk defines. */
export async function objectsIn(path: string): Promise<SchemaObject[]> {
  const file = await openFile(path, { readonly: true })
  try {
    return objectsOf(file)
  } finally {
    file.close()
  }
}
