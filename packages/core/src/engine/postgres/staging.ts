import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { ConflictError } from '../../errors.ts'
import type { StoredRow } from '../engine.ts'
import type { Client } from './client.ts'
import { quoteName, quoteText } from './names.ts'
import { stagingPrefix } from './staging-name.ts'

/** Milliseconds in which an instance that starts removes what killed restores have left: a restore waits so long for the lock. */
const tidyingTime = 2_000

/** Safety copies that are kept: each is as large as the database. */
const kept = 3

/** The schemas of one live schema's restores: what is being filled, and what was replaced. */
export interface RestoreSchemas {
  readonly live: string
  readonly staging: string
  readonly safety: string
}

/** Reads which schema names without one mean, and how its restores are called. */
export async function restoreSchemas(client: Client): Promise<RestoreSchemas> {
  const sql = `SELECT current_schema() AS live, left(md5(current_schema()), 8) AS mark, ${stagingPrefix} AS staging`
  const [row] = (await client.query({ sql })).rows
  const mark = String(row?.['mark'])
  return { live: String(row?.['live']), staging: String(row?.['staging']), safety: `strongroom_before_restore_${mark}_` }
}

/** Keeps other instances from restoring the same tables, for as long as the connection lives. */
export async function takeRestoreLock(client: Client, schemas: RestoreSchemas): Promise<void> {
  const giveUpAt = performance.now() + tidyingTime
  while (!(await tryRestoreLock(client, schemas))) {
    if (performance.now() >= giveUpAt) throw new ConflictError('state_conflict', 'Another restore is under way. Wait until it ends.')
    await pause(tidyingTime / 20)
  }
}

/** Takes it where nobody has it. */
export async function tryRestoreLock(client: Client, { staging }: RestoreSchemas): Promise<boolean> {
  const { rows } = await client.query({ sql: `SELECT pg_try_advisory_lock(hashtextextended(${quoteText(staging)}, 0)) AS taken` })
  return rows[0]?.['taken'] === true
}

/** Makes a schema to fill, and removes those that killed restores have left. Asks for the restore lock. */
export async function makeStaging(client: Client, schemas: RestoreSchemas): Promise<string> {
  for (const name of await schemasLike(client, schemas.staging)) await dropSchema(client, name)
  const staging = `${schemas.staging}${randomBytes(6).toString('hex')}`
  await client.query({ sql: `CREATE SCHEMA ${quoteName(staging)}` })
  return staging
}

/** Removes a schema with all that is in it. */
export async function dropSchema(client: Client, name: string): Promise<void> {
  await client.query({ sql: `DROP SCHEMA IF EXISTS ${quoteName(name)} CASCADE` })
}

/** The name of a new safety copy. */
export function newSafetySchema({ safety }: RestoreSchemas): string {
  return `${safety}${new Date().toISOString().replaceAll(/[-:.]/g, '').toLowerCase()}`
}

/** The safety copies, the newest first. */
export async function safetySchemas(client: Client, { safety }: RestoreSchemas): Promise<string[]> {
  return (await schemasLike(client, safety)).reverse()
}

/** Removes the oldest safety copies. */
export async function thinOutSchemas(client: Client, schemas: RestoreSchemas): Promise<void> {
  for (const name of (await safetySchemas(client, schemas)).slice(kept)) await dropSchema(client, name)
}

/** The schemas whose names begin so, in order. */
export async function schemasLike(client: Client, start: string): Promise<string[]> {
  const sql = `SELECT nspname FROM pg_namespace WHERE starts_with(nspname, ${quoteText(start)}) ORDER BY nspname`
  const { rows }: { readonly rows: readonly StoredRow[] } = await client.query({ sql })
  return rows.map((row) => String(row['nspname']))
}
