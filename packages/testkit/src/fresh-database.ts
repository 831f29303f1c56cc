import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import pg from 'pg'
import { inject } from 'vitest'
import { ordinaryRole } from './postgres-setup.ts'
import { tempFolder } from './temp-folder.ts'

/** An empty database, and the way to get rid of it. */
export interface FreshDatabase {
  readonly url: string
  remove(): Promise<void>
}

/** A file that does not exist yet in a folder of its own. */
export async function freshSqlite(): Promise<FreshDatabase> {
  const folder = await tempFolder('sqlite')
  return { url: `sqlite:${join(folder.path, 'test.db')}`, remove: folder.remove }
}

/** Milliseconds to wait at clean-up for a lock that a test left behind, before saying so. */
const leftoverLockWait = 10_000

/**
 * A schema of its own in the run's PostgreSQL, chosen by `search_path` in the URL: it is there in under 1 ms,
 * where CREATE DATABASE takes 30 to 100 ms. It belongs to an ordinary role, which the URL logs in as: superusers pass row-level security.
 */
export async function freshPostgres(): Promise<FreshDatabase> {
  const schema = `test_${randomBytes(8).toString('hex')}`
  await asSuperuser((client) => client.query(`CREATE SCHEMA ${schema} AUTHORIZATION ${ordinaryRole}`))
  const url = new URL(runUrl())
  url.username = ordinaryRole
  url.password = ordinaryRole
  url.searchParams.set('options', `-c search_path=${schema}`)
  // node-postgres reads the options with decodeURIComponent, to which a plus sign is a plus sign
  const href = url.href.replaceAll('+', '%20')
  return { url: href, remove: () => asSuperuser((client) => dropSchema(client, schema)) }
}

/** Runs statements in the run's PostgreSQL on a connection of their own. */
export async function asSuperuser<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(runUrl())
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

function runUrl(): string {
  const url = inject('postgresUrl')
  if (!url) throw new Error('No PostgreSQL for this run: list testkit/src/postgres-setup.ts under globalSetup in the vitest configuration')
  return url
}

async function dropSchema(client: pg.Client, schema: string): Promise<void> {
  await client.query(`SET lock_timeout = ${leftoverLockWait}`)
  await client.query('SET client_min_messages = warning')
  await client.query(`DROP SCHEMA ${schema} CASCADE`)
}
