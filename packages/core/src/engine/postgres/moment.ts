import type { Awaitable, Connection } from '../engine.ts'
import type { ClientPool } from './pool.ts'
import { ReadConnection } from './reader.ts'
import { reachSql } from './row-security.ts'
import { findsItsTables, keepTablesInTransaction } from './swap-lock.ts'

/** All statements see what the first one saw, of every tenant. */
const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${keepTablesInTransaction}; ${reachSql('every')}; ${findsItsTables}`

/** Reads one moment of the database on a connection that is given back however the reading ends. */
export function readMoment<T>(pool: ClientPool, work: (connection: Connection) => Awaitable<T>): Promise<T> {
  return pool.use(async (client) => {
    const connection = new ReadConnection({ use: (read) => read(client) }, undefined)
    try {
      // While it waited for the lock, a restore may have put other tables in the place of those that its snapshot knows.
      while ((await client.query({ sql: begin })).rows[0]?.['same'] !== true) await client.query({ sql: 'ROLLBACK' })
      return await work(connection)
    } finally {
      connection.finish()
      await client.query({ sql: 'ROLLBACK' }).catch(() => client.destroy())
    }
  })
}
