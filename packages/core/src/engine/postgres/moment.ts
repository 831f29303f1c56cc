import type { Awaitable, Connection } from '../engine.ts'
import type { ClientPool } from './pool.ts'
import { ReadConnection } from './reader.ts'
import { reachSql } from './row-security.ts'

/** All statements see what the first one saw, of every tenant. */
const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${reachSql('every')}`

/** Reads one moment of the database on a connection that is given back however the reading ends. */
export function readMoment<T>(pool: ClientPool, work: (connection: Connection) => Awaitable<T>): Promise<T> {
  return pool.use(async (client) => {
    const connection = new ReadConnection({ use: (read) => read(client) }, undefined)
    try {
      await client.query({ sql: begin })
      return await work(connection)
    } finally {
      connection.finish()
      await client.query({ sql: 'ROLLBACK' }).catch(() => client.destroy())
    }
  })
}
