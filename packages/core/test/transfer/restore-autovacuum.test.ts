import { join } from 'node:path'
import { defineModel, ModelAccessor } from '@strongroom/core'
import { asSuperuser, describeEngines, tempFolder } from '@strongroom/testkit'
import { Type } from 'typebox'
import { expect, onTestFinished, test, vi } from 'vitest'
import { rawDatabase } from '../audit/raw-database.ts'
import { storagesOn } from '../support.ts'

const Person = defineModel('people', { name: Type.String() })

describeEngines('a restore of tables that hold many old versions of rows', (engine) => {
  const open = storagesOn(engine)

  test('does not wait until an autovacuum is through with them', async () => {
    const folder = await tempFolder('autovacuum')
    onTestFinished(folder.remove)
    const url = await engine.freshUrl()
    const people = new ModelAccessor(Person, 'people')
    const storage = await open([people], { url })
    await people.insertMany(Array.from({ length: 2_000 }, () => ({ name: 'x'.repeat(1_000) })))
    const backup = join(folder.path, 'backup.sqlite')
    await storage.backup(backup)
    const raw = await rawDatabase(url)
    onTestFinished(() => raw.close())
    if (engine.name === 'postgres') {
      await asSuperuser(async (client) => {
        await client.query('ALTER SYSTEM SET autovacuum_naptime = 1')
        await client.query('SELECT pg_reload_conf()')
      })
      onTestFinished(() =>
        asSuperuser(async (client) => {
          await client.query('ALTER SYSTEM RESET autovacuum_naptime')
          await client.query('SELECT pg_reload_conf()')
        }),
      )
      // It rests after every page: it would take minutes.
      await raw.run(`ALTER TABLE people SET (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)`)
      await raw.run('UPDATE people SET name = name')
      const vacuums = () =>
        raw.all(`SELECT 1 AS one FROM pg_locks WHERE relation = 'people'::regclass AND mode = 'ShareUpdateExclusiveLock' AND granted`)
      await vi.waitFor(async () => expect(await vacuums()).toHaveLength(1), { timeout: 60_000, interval: 50 })
    }
    await people.insert({ name: 'New' })
    expect(await storage.restore(backup)).toMatchObject({ restored: true })
    expect(await people.count()).toBe(2_000)
  }, 120_000)
})
