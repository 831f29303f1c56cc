import { setTimeout as pause } from 'node:timers/promises'
import { StorageBusyError } from '../../errors.ts'
import type { Connection } from '../engine.ts'
import { takeDefinitionLock } from './ddl.ts'
import { sqlState } from './errors.ts'
import { runDefinition, type UnitOptions } from './transaction.ts'

/**
 * Milliseconds that a change waits for a table: everybody who comes after it waits behind it, readers too, for as long as some old
 * transaction keeps the table.
 */
const lockWait = 2_000

/** Milliseconds between two tries, in which the others get their turn, at most. */
const longestPause = 2_000

const tries = 15

/** Runs DDL under a lock that one instance at a time has. What could not get its tables is rolled back, and tried again. */
export async function define<T>(
  options: Omit<UnitOptions, 'retries'>,
  work: (connection: Connection) => Promise<T>,
  { changesTables = false }: { readonly changesTables?: boolean },
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await runDefinition(options, async (connection) => {
        await connection.all(takeDefinitionLock)
        // Not before: another instance may need minutes for its changes.
        if (changesTables) await connection.all({ sql: `SELECT set_config('lock_timeout', '${lockWait}', true)`, parameters: [] })
        return await work(connection)
      })
    } catch (error) {
      if (sqlState(error) !== '55P03') throw error
      if (attempt === tries) throw kept(error)
    }
    await pause(Math.random() * longestPause)
  }
}

function kept(cause: unknown): StorageBusyError {
  return new StorageBusyError('Other transactions keep the tables that are to be changed. Nothing was changed; end them, or try again.', {
    cause,
  })
}
