import { UsageError } from '../../errors.ts'
import type { Client } from './client.ts'
import { Connector } from './connector.ts'
import { loadPg } from './driver.ts'
import { readHosts } from './hosts.ts'
import { noLimits, setup } from './session-setup.ts'
import { resultTypes } from './values.ts'

/**
 * Throws UsageError `invalid_options` where a pooler of transactions stands before the server: there another caller's transaction gets the
 * session that one had before, or one gets another. Who cannot be reached is left to those who open it, and tell why.
 *
 * @param connectWait milliseconds
 */
export async function assertOwnSession(url: string, connectWait: number): Promise<void> {
  const driver = await loadPg()
  // Nothing is set in a session that may be somebody else's in a moment.
  const options = {
    hosts: readHosts(url),
    connectWait,
    types: resultTypes(driver),
    names: undefined,
    setup: setup({ ...noLimits, pooled: true }),
  }
  const connector = new Connector(driver, options)
  const clients: Client[] = []
  try {
    for (let count = 0; count < 2; count++) clients.push(await connector.connectOnce())
  } catch {
    for (const client of clients) client.destroy()
    return
  }
  try {
    if (await isHandedOn(clients)) throw new UsageError('invalid_options', refusal)
  } finally {
    for (const client of clients) await client.close()
  }
}

const refusal =
  'A move needs sessions of its own, which a pooler of transactions, such as PgBouncer, does not give. Name the server itself, or a pool of sessions.'

async function isHandedOn([one, other]: readonly Client[]): Promise<boolean> {
  if (!one || !other) return false
  const first = await sessionOf(one)
  await other.query({ sql: 'BEGIN' })
  // Not asked a third time where that is known: a pooler with one session would let it wait.
  return (await sessionOf(other)) === first || (await sessionOf(one)) !== first
}

async function sessionOf(client: Client): Promise<unknown> {
  return (await client.query({ sql: 'SELECT pg_backend_pid() AS id' })).rows[0]?.['id']
}
