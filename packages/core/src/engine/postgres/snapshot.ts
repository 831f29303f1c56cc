import type { Snapshot, Statement, StoredRow } from '../engine.ts'
import type { Client } from './client.ts'
import { connectTo, type PostgresPlace } from './connect.ts'
import { codecFor } from './values.ts'

const cursor = 'strongroom_snapshot'

/** Opens a repeatable-read transaction on a connection of its own, outside of any pool. */
export async function openPostgresSnapshot(place: PostgresPlace): Promise<Snapshot> {
  const client = await connectTo(place)
  try {
    // The snapshot is taken by the first statement that reads, not by BEGIN.
    await client.query({ sql: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1' })
  } catch (error) {
    client.destroy()
    throw error
  }
  return {
    codec: codecFor,
    stream: (statement, chunkSize) => streamRows(client, statement, chunkSize),
    lastCountedId: async (table, idColumn) => {
      const sql = 'SELECT pg_sequence_last_value(pg_get_serial_sequence(quote_ident($1), $2)::regclass) AS last'
      const { rows } = await client.query({ sql, parameters: [table, idColumn] })
      return Number(rows[0]?.['last'] ?? 0)
    },
    close: () => client.close(),
  }
}

async function* streamRows(client: Client, statement: Statement, chunkSize: number): AsyncGenerator<StoredRow[], void, undefined> {
  await client.query({ sql: `DECLARE ${cursor} NO SCROLL CURSOR FOR ${statement.sql}`, parameters: statement.parameters })
  const fetch = { sql: `FETCH ${Math.max(1, Math.trunc(chunkSize))} FROM ${cursor}` }
  // The next chunk is under way while this one is used.
  let next = client.query(fetch)
  for (;;) {
    const { rows } = await next
    if (rows.length === 0) break
    next = client.query(fetch)
    // Whoever stops in between hears of a failure when the connection is closed.
    next.catch(() => undefined)
    yield rows
  }
  await client.query({ sql: `CLOSE ${cursor}` })
}
