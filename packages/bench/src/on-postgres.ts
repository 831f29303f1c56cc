import { randomUUID } from 'node:crypto'
import { startPostgres } from '@strongroom/testkit/postgres-server'
import pg from 'pg'

/** Gives work a schema of its own in a real PostgreSQL, and a way to run SQL there; both are gone afterwards. */
export async function onPostgres<T>(
  name: string,
  work: (url: string, ask: (sql: string) => Promise<void>, schema: string) => Promise<T>,
): Promise<T> {
  const server = await startPostgres()
  const schema = `${name}_${randomUUID().replaceAll('-', '')}`
  const ask = async (sql: string): Promise<void> => {
    const client = new pg.Client(server.url)
    await client.connect()
    await client.query(sql)
    await client.end()
  }
  try {
    await ask(`CREATE SCHEMA ${schema}`)
    const url = new URL(server.url)
    url.searchParams.set('options', `-c search_path=${schema}`)
    return await work(url.href.replaceAll('+', '%20'), ask, schema)
  } finally {
    await ask(`DROP SCHEMA ${schema} CASCADE`)
    await server.stop()
  }
}
