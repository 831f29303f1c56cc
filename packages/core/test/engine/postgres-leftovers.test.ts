import { freshPostgres } from '@strongroom/testkit'
import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openPostgresEngine } from '../../src/engine/postgres/open.ts'

/** A schema with a client in it, as a restore that was killed would have left it: with one that was being filled, of a table. */
async function withStaging() {
  const database = await freshPostgres()
  const client = new pg.Client(database.url)
  await client.connect()
  onTestFinished(async () => {
    await client.end()
    await database.remove()
  })
  const { rows } = await client.query<{ prefix: string }>(`SELECT 'strongroom_staging_' || left(md5(current_schema()), 8) || '_' AS prefix`)
  const prefix = rows[0]?.prefix ?? ''
  const name = `${prefix}0123456789ab`
  await client.query(`CREATE SCHEMA ${name}; CREATE TABLE ${name}.users (id bigint)`)
  const open = async () => {
    const engine = await openPostgresEngine({ url: database.url })
    onTestFinished(() => engine.close())
    return engine
  }
  const isThere = async (): Promise<boolean> => {
    const found = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [name])
    return found.rows.length > 0
  }
  return { client, prefix, open, isThere }
}

describe('a schema that a killed restore was filling', () => {
  test('is removed by the next instance, and by nobody who only opens the database', async () => {
    const { open, isThere } = await withStaging()
    const engine = await open()
    expect(await isThere()).toBe(true)
    expect(await engine.removeLeftovers()).toBe(true)
    expect(await isThere()).toBe(false)
    expect(await engine.removeLeftovers()).toBe(true)
  })

  test('stays while the session that fills it lives, and goes with the next try', async () => {
    const { client, prefix, open, isThere } = await withStaging()
    await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [prefix])
    const engine = await open()
    expect(await engine.removeLeftovers()).toBe(false)
    expect(await isThere()).toBe(true)
    await client.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [prefix])
    expect(await engine.removeLeftovers()).toBe(true)
    expect(await isThere()).toBe(false)
  })
})
