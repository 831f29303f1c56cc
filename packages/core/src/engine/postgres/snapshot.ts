import type { Reach, Snapshot } from '../engine.ts'
import { connectTo, type PostgresPlace } from './connect.ts'
import { readBatches, readEachRow } from './read-batches.ts'
import { reachSql } from './row-security.ts'
import { keepTables } from './swap-lock.ts'
import { codecFor } from './values.ts'

/**
 * The snapshot is taken by the first statement that reads, not by BEGIN. Reading a large table takes as long as whoever wants its rows:
 * limits that the role has for its statements are not meant for that.
 */
const begin = (reach: Reach): string =>
  `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0; ${reachSql(reach)}; SELECT 1`

/** Opens a repeatable-read transaction on a connection of its own, outside of any pool. */
export async function openPostgresSnapshot(place: PostgresPlace, reach: Reach): Promise<Snapshot> {
  const client = await connectTo(place)
  try {
    await client.query({ sql: keepTables })
    await client.query({ sql: begin(reach) })
  } catch (error) {
    client.destroy()
    throw error
  }
  return {
    codec: codecFor,
    stream: (statement, mostRows) => readBatches(client, statement, mostRows),
    eachRow: (statement, take) => readEachRow(client, statement, take),
    lastCountedId: async (table, idColumn) => {
      const sql = 'SELECT pg_sequence_last_value(pg_get_serial_sequence(quote_ident($1), $2)::regclass) AS last'
      const { rows } = await client.query({ sql, parameters: [table, idColumn] })
      return Number(rows[0]?.['last'] ?? 0)
    },
    close: () => client.close(),
  }
}
