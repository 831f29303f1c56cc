import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { type PostgresServer, startPostgres } from './postgres-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The PostgreSQL of this run, for its superuser. */
    postgresUrl: string
  }
}

/** Tests log in as this role, which has the rights of an app: it makes schemas, and owns what it makes. It is its own password, too. */
export const ordinaryRole = 'strongroom_tests'

interface SharedServer {
  starting: Promise<PostgresServer>
  users: number
}

/** Each project loads its own copy of this module; the process has one server all the same. */
const sharedKey = Symbol.for('strongroom.testkit.postgres')
// a symbol on the global object has no type of its own
const shared = globalThis as { [sharedKey]?: SharedServer }

/** Starts PostgreSQL before the first test and hands its URL to `inject('postgresUrl')`; stops it after the last. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared[sharedKey] ??= { starting: startPostgres().then(withOrdinaryRole), users: 0 }
  const server = shared[sharedKey]
  server.users++
  const { url, stop } = await server.starting
  project.provide('postgresUrl', url)
  return async () => {
    server.users--
    if (server.users > 0) return
    delete shared[sharedKey]
    await stop()
  }
}

async function withOrdinaryRole(server: PostgresServer): Promise<PostgresServer> {
  const client = new pg.Client(server.url)
  await client.connect()
  try {
    // Another run may use the same server.
    await client.query(
      `DO $$ BEGIN CREATE ROLE ${ordinaryRole} LOGIN PASSWORD '${ordinaryRole}'; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`,
    )
    await client.query(`DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO ${ordinaryRole}', current_database()); END $$`)
  } finally {
    await client.end()
  }
  return server
}
