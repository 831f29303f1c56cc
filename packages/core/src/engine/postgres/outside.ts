import type { Reach, Statement } from '../engine.ts'
import type { Client, Result } from './client.ts'
import { assertReading, refusal } from './raw-guard.ts'
import { reachSql } from './row-security.ts'
import { encodeForeign } from './values.ts'

/** A statement outside any unit, in a transaction that says whose rows it reads: BEGIN and COMMIT travel with it, and nobody waits for them. */
export async function readHeld(client: Client, statement: Statement, reach: Reach): Promise<Result> {
  const sent = client.together(() => [
    client.query({ sql: `BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; ${reachSql(reach)}` }),
    client.query(statement),
    client.query({ sql: 'COMMIT' }),
  ])
  const [begun, result, ended] = await Promise.allSettled(sent)
  // Without BEGIN the statement has run for nobody in particular.
  if (begun?.status === 'rejected') throw begun.reason
  if (ended?.status === 'rejected') client.destroy()
  if (result?.status !== 'fulfilled') throw result?.reason
  return result.value
}

/** A statement of somebody else, outside any unit, in a read-only transaction of its own that leaves nothing behind. */
export async function readOutside(client: Client, statement: Statement, reach: Reach | undefined): Promise<Result> {
  assertReading(statement.sql)
  await client.query({ sql: `BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY${reach === undefined ? '' : `; ${reachSql(reach)}`}` })
  const foreign = { sql: statement.sql, parameters: statement.parameters.map(encodeForeign) }
  const [result, undone] = await client.together(() => Promise.allSettled([client.query(foreign), client.query({ sql: 'ROLLBACK' })]))
  if (undone.status === 'rejected') client.destroy()
  if (result.status === 'fulfilled') return result.value
  throw refusal(result.reason)
}
