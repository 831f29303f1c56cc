import { randomUUID } from 'node:crypto'
import { startPostgres } from '@strongroom/testkit/postgres-server'
import pg from 'pg'

/** A way to run SQL. */
type Ask = (sql: string) => Promise<void>

/** Gives work a schema of its own in a real PostgreSQL, and a way to run SQL there; both are gone afterwards. */
export async function onPostgres<T>(name: string, work: (url: string, ask: Ask, schema: string) => Promise<T>): Promise<T> {
  const server = await startPostgres()
  const schema = `${name}_${randomUUID().replaceAll('-', '')}`
  const ask = asking(server.url)
  try {
    await ask(`CREATE SCHEMA ${schema}`)
    return await work(inSchema(server.url, schema), ask, schema)
  } finally {
    await ask(`DROP SCHEMA ${schema} CASCADE`)
    await server.stop()
  }
}

/** The same, where a server is given in a schema that is still there for the next run. */
export async function onKeptPostgres<T>(name: string, server: string | undefined, work: Parameters<typeof onPostgres<T>>[1]): Promise<T> {
  if (server === undefined) return onPostgres(name, work)
  const ask = asking(server)
  await ask(`CREATE SCHEMA IF NOT EXISTS ${name}`)
  return work(inSchema(server, name), ask, name)
}

function asking(server: string): Ask {
  return async (sql) => {
    const client = new pg.Client(server)
    await client.connect()
    await client.query(sql)
    await client.end()
  }
}

function inSchema(server: string, schema: string): string {
  const url = new URL(server)
  url.searchParams.set('options', `-c search_path=${schema}`)
  return url.href.replaceAll('+', '%20')
}
