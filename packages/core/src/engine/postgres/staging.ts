import { randomBytes } from 'node:crypto'
import { ConflictError } from '../../errors.ts'
import type { StoredRow } from '../engine.ts'
import type { Client } from './client.ts'
import { quoteName, quoteText } from './names.ts'

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
  const { rows } = await client.query({ sql: 'SELECT current_schema() AS live, left(md5(current_schema()), 8) AS mark' })
  const [row] = rows
  const mark = String(row?.['mark'])
  return { live: String(row?.['live']), staging: `strongroom_staging_${mark}_`, safety: `strongroom_before_restore_${mark}_` }
}

/** Keeps other instances from restoring the same tables, for as long as the connection lives. */
export async function takeRestoreLock(client: Client, { staging }: RestoreSchemas): Promise<void> {
  const { rows } = await client.query({ sql: `SELECT pg_try_advisory_lock(hashtextextended(${quoteText(staging)}, 0)) AS taken` })
  if (rows[0]?.['taken'] !== true) throw new ConflictError('state_conflict', 'Another restore is under way. Wait until it ends.')
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

async function schemasLike(client: Client, start: string): Promise<string[]> {
  const sql = `SELECT nspname FROM pg_namespace WHERE starts_with(nspname, ${quoteText(start)}) ORDER BY nspname`
  const { rows }: { readonly rows: readonly StoredRow[] } = await client.query({ sql })
  return rows.map((row) => String(row['nspname']))
}
