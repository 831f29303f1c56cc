import { UsageError } from '../../errors.ts'
import type { DatabasePlace } from '../engine.ts'
import type { Client } from './client.ts'
import { Connector } from './connector.ts'
import { loadPg } from './driver.ts'
import { readHosts } from './hosts.ts'
import { quoteName } from './names.ts'
import { noLimits, setup } from './session-setup.ts'
import { StatementNames } from './statement-names.ts'
import { resultTypes } from './values.ts'

/** Where a PostgreSQL database is. */
export type PostgresPlace = Extract<DatabasePlace, { engine: 'postgres' }>

/** A connection of its own, outside of any pool. */
export async function connectTo({ url, connectWait, schema, pooled }: PostgresPlace): Promise<Client> {
  if (pooled)
    throw new UsageError(
      'invalid_options',
      'Backups, exports and restores need a session of their own, which a pooler of transactions does not give. Name the server itself in postgres.directUrl.',
    )
  const driver = await loadPg()
  const options = { hosts: readHosts(url), connectWait, types: resultTypes(driver), names: new StatementNames(), setup: setup(noLimits) }
  const client = await new Connector(driver, options).connect(connectWait)
  if (schema !== undefined) await client.query({ sql: `SET search_path TO ${quoteName(schema)}` })
  return client
}
