import type { Engine, Statement } from '../src/engine/engine.ts'

/** The plan as the engine tells it; PostgreSQL is kept from scanning the few rows of a test. */
export async function explain(engine: Engine, statement: Statement): Promise<string> {
  const sqlite = engine.name === 'sqlite'
  const rows = await engine.define(async (connection) => {
    if (!sqlite) await connection.all({ sql: 'SET LOCAL enable_seqscan = off', parameters: [] })
    if (!sqlite) await connection.all({ sql: 'SET LOCAL enable_bitmapscan = off', parameters: [] })
    return connection.all({ sql: `${sqlite ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN'} ${statement.sql}`, parameters: statement.parameters })
  })
  return rows.map((row) => String(row['detail'] ?? row['QUERY PLAN'])).join('\n')
}
