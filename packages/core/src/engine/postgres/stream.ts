import type { Reach, Statement, StoredRow } from '../engine.ts'
import type { Client } from './client.ts'
import type { ClientPool } from './pool.ts'
import { reachSql } from './row-security.ts'
import { withoutLimits } from './session-setup.ts'

/** One snapshot for all chunks, for as long as whoever reads them takes, on a connection that writes nothing. */
const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY${withoutLimits}`

const cursor = 'strongroom_stream'

/** Reads rows in chunks through a cursor of the server's; the connection is given back however the reading ends. */
export async function* streamRows(
  pool: ClientPool,
  statement: Statement,
  chunkSize: number,
  reach: Reach | undefined,
): AsyncGenerator<StoredRow[], void, undefined> {
  const fetch = `FETCH ${Math.max(1, Math.trunc(chunkSize))} FROM ${cursor}`
  const { client, rows } = await open(pool, statement, fetch, reach)
  try {
    for (let chunk = rows; chunk.length > 0; chunk = (await client.query({ sql: fetch })).rows) yield chunk
  } finally {
    await end(client)
    pool.release(client)
  }
}

/** Opens the cursor and fetches the first chunk in one round trip; on a new connection when a pooled one turns out to be dead. */
async function open(
  pool: ClientPool,
  statement: Statement,
  fetch: string,
  reach: Reach | undefined,
): Promise<{ client: Client; rows: StoredRow[] }> {
  const opening = reach === undefined ? begin : `${begin}; ${reachSql(reach)}`
  for (;;) {
    const client = await pool.acquire()
    const declare = { sql: `DECLARE ${cursor} NO SCROLL CURSOR FOR ${statement.sql}`, parameters: statement.parameters }
    const [begun, declared, fetched] = await client.together(() =>
      Promise.allSettled([client.query({ sql: opening }), client.query(declare), client.query({ sql: fetch })]),
    )
    if (fetched.status === 'fulfilled') return { client, rows: fetched.value.rows }
    await end(client)
    // the first that failed tells why; those behind it failed because of it
    const reason: unknown = [begun, declared, fetched].find((result) => result.status === 'rejected')?.reason
    const again = pool.replaced(client, reason)
    pool.release(client)
    if (!again) throw reason
  }
}

async function end(client: Client): Promise<void> {
  await client.query({ sql: 'ROLLBACK' }).catch(() => client.destroy())
}
