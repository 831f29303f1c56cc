import type { Connection, StoredRow } from '../engine.ts'
import { quoteName } from './ddl.ts'

const trial = 'strongroom_trial'

/**
 * Views and triggers that name a column. SQLite keeps no list of them, but a rename finds them all: it is tried, what it has rewritten is
 * read, and it is taken back.
 */
export async function dependentsOf(connection: Connection, table: string, column: string): Promise<string[]> {
  const before = await hanging(connection)
  if (before.size === 0) return []
  await connection.savepoint(trial)
  try {
    await connection.run({
      sql: `ALTER TABLE ${quoteName(table)} RENAME COLUMN ${quoteName(column)} TO ${quoteName(`${trial}_column`)}`,
      parameters: [],
    })
    const after = await hanging(connection)
    return [...after].filter(([name, sql]) => before.get(name) !== sql).map(([name]) => name)
  } catch {
    // A view that is broken already keeps columns from being renamed, and nothing more can be found out.
    return []
  } finally {
    await connection.rollbackTo(trial)
  }
}

async function hanging(connection: Connection): Promise<Map<string, string>> {
  const sql = `SELECT type || ' ' || name AS name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger') ORDER BY name`
  const rows: StoredRow[] = await connection.all({ sql, parameters: [] })
  return new Map(rows.map((row) => [String(row['name']), String(row['sql'])]))
}
