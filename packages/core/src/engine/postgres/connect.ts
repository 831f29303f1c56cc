import { StorageUnavailableError } from '../../errors.ts'
import type { DatabasePlace } from '../engine.ts'
import { Client } from './client.ts'
import { loadPg } from './driver.ts'
import { quoteName } from './names.ts'
import { setup } from './session-setup.ts'
import { StatementNames } from './statement-names.ts'
import { resultTypes } from './values.ts'

/** Where a PostgreSQL database is. */
export type PostgresPlace = Extract<DatabasePlace, { engine: 'postgres' }>

/** A connection of its own, outside of any pool. */
export async function connectTo({ url, connectWait, schema }: PostgresPlace): Promise<Client> {
  const driver = await loadPg()
  const options = { url, connectWait, types: resultTypes(driver), names: new StatementNames(), setup: setup(0) }
  const client = await Client.connect(driver, options, 0).catch((cause: unknown) => {
    throw new StorageUnavailableError('storage_unavailable', 'The database cannot be reached. Try again later.', { cause })
  })
  if (schema !== undefined) await client.query({ sql: `SET search_path TO ${quoteName(schema)}` })
  return client
}
