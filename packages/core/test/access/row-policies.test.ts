import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AnyModel,
  defineModel,
  type Migration,
  ModelAccessor,
  openMigrator,
  openStorage,
  type Storage,
  viewDatabase,
} from '@strongroom/core'
import { asSuperuser, describeEngines, needs } from '@strongroom/testkit'
import pg from 'pg'
import { Type } from 'typebox'
import { afterEach, expect, test } from 'vitest'
import { rejectionOf } from '../support.ts'

const fields = { org: Type.String(), name: Type.String() }
const Item = defineModel('items', fields, { tenant: 'org' })
const Plain = defineModel('items', fields)

describeEngines('policies', (database) => {
  const opened: Storage[] = []
  const close = async () => {
    for (const storage of opened.splice(0)) await storage.close()
  }
  afterEach(close)

  test('are no matter of the models: they are the same on every engine', async () => {
    const items = new ModelAccessor(Item, 'items')
    const storage = (await openStorage({ url: await database.freshUrl(), accessors: [items] })) as unknown as Storage
    opened.push(storage)
    expect((await storage.health()).schemaDifferences).toEqual([])
  })

  needs(database, 'rowSecurity', () => {
    const open = async (url: string, options: { model?: typeof Item | typeof Plain; createTables?: boolean; warnings?: string[] } = {}) => {
      const { model = Item, createTables = true, warnings = [] } = options
      const items = new ModelAccessor(model as typeof Item, 'items')
      const logger = { info: () => undefined, warn: (message: string) => void warnings.push(message), error: () => undefined }
      const storage = (await openStorage({ url, accessors: [items], createTables, logger })) as unknown as Storage
      opened.push(storage)
      return { items, storage }
    }
    /** Runs a statement past the library, as the owner of the tables. */
    const past = async (url: string, sql: string) => {
      const client = new pg.Client(url)
      await client.connect()
      try {
        return (await client.query(sql)).rows
      } finally {
        await client.end()
      }
    }
    const visible = async (url: string) => {
      const [row] = await past(url, 'SELECT (SELECT count(*) FROM items) AS items, (SELECT count(*) FROM strongroom_audit_log) AS entries')
      return { items: Number(row.items), entries: Number(row.entries) }
    }

    test('are made for tables that stood there without', async () => {
      const url = await database.freshUrl()
      const { items } = await open(url, { model: Plain })
      await items.insert({ org: 'red', name: 'x' })
      await close()
      expect(await visible(url)).toEqual({ items: 1, entries: 1 })
      expect(await rejectionOf(open(url, { createTables: false }))).toMatchObject({
        code: 'schema_mismatch',
        differences: [
          'strongroom_audit_log does not hold its rows to the tenants in tenant: its policy is missing, switched off or another one.',
          'strongroom_kept_answers does not hold its rows to the tenants in tenant: its policy is missing, switched off or another one.',
          'items does not hold its rows to the tenants in org: its policy is missing, switched off or another one.',
        ],
      })
      const again = await open(url)
      expect(await again.items.count()).toBe(1)
      expect(await visible(url)).toEqual({ items: 0, entries: 0 })
    })

    test.each([
      ['weakened', `ALTER POLICY strongroom_tenant ON items USING (true)`],
      ['weakened for writers', `ALTER POLICY strongroom_tenant ON items WITH CHECK (true)`],
      ['dropped', 'DROP POLICY strongroom_tenant ON items'],
      ['switched off', 'ALTER TABLE items DISABLE ROW LEVEL SECURITY'],
      ['switched off for the owner', 'ALTER TABLE items NO FORCE ROW LEVEL SECURITY'],
    ])('that somebody has %s are found by health, and mended at the next start', async (_how, tampering) => {
      const url = await database.freshUrl()
      const { items, storage } = await open(url)
      await items.insert({ org: 'red', name: 'x' })
      await past(url, tampering)
      const { schemaDifferences } = await storage.health()
      expect(schemaDifferences).toEqual([expect.stringContaining('items does not hold its rows to the tenants in org')])
      await close()
      expect(await rejectionOf(open(url, { createTables: false }))).toMatchObject({ code: 'schema_mismatch' })
      await open(url)
      expect(await visible(url)).toEqual({ items: 0, entries: 0 })
      await open(url, { createTables: false })
    })

    test('are not taken away by a program whose model knows of no tenant', async () => {
      const url = await database.freshUrl()
      await open(url)
      expect(await rejectionOf(open(url, { model: Plain }))).toMatchObject({
        differences: ['items holds its rows to tenants, and the model has no tenant: say it there, or drop the policy.'],
      })
    })

    test('of the log hold up no program that has other models', async () => {
      const url = await database.freshUrl()
      const { items } = await open(url)
      await items.insert({ org: 'red', name: 'x' })
      const others = new ModelAccessor(defineModel('others', { name: Type.String() }), 'others')
      const storage = (await openStorage({ url, accessors: [others] })) as unknown as Storage
      opened.push(storage)
      await others.insert({ name: 'x' })
      expect(await storage.audit.count()).toBe(2)
      const view = await viewDatabase({ url })
      expect(await view.audit.count()).toBe(2)
      expect((await view.health()).audit.lastEntry).toMatchObject({ id: 2 })
      await view.close()
    })

    test('hold up no backup, export, import, restore or its undoing, and are there afterwards', async () => {
      const url = await database.freshUrl()
      const { items, storage } = await open(url)
      for (const org of ['red', 'blue']) await items.insert({ org, name: 'before' })
      const folder = await mkdtemp(join(tmpdir(), 'strongroom-policies-'))
      const [backup, zip] = [join(folder, 'backup.sqlite'), join(folder, 'export.zip')]
      await storage.backup(backup)
      const manifest = await storage.export(zip, { tables: ['items'] })
      expect(manifest.files).toMatchObject([{ rows: 2 }])
      expect((await storage.export(join(folder, 'red.zip'), { tables: ['items'], tenant: 'red' })).files).toMatchObject([{ rows: 1 }])
      await items.insert({ org: 'red', name: 'after' })
      expect(await storage.restore(backup)).toMatchObject({
        since: { entries: 1, sameHistory: true },
        tables: expect.arrayContaining([{ table: 'items', now: 3, inFile: 2 }]),
      })
      expect(await items.count()).toBe(2)
      expect(await visible(url)).toEqual({ items: 0, entries: 0 })
      await storage.undoRestore()
      expect(await items.count()).toBe(3)
      expect(await visible(url)).toEqual({ items: 0, entries: 0 })
      expect((await storage.health()).schemaDifferences).toEqual([])
      expect(await storage.import(zip, { mode: 'upsert' })).toMatchObject({ applied: true })
      expect(await items.insert({ org: 'blue', name: 'last' })).toMatchObject({ id: 4 })
    })

    test('come with a migration, see its data through, and go with the field of the tenant', async () => {
      const url = await database.freshUrl()
      const shout: Migration = {
        name: '20260101000000_shout',
        up: async (db) => void (await db.updateTable('items').set({ name: 'LOUD' }).execute()),
      }
      const leave: Migration = {
        name: '20260102000000_leave',
        up: (_db, schema) => schema.alterTable('items', { dropFields: { org: { type: 'text', discard: true } } }),
      }
      const migrated = async (model: AnyModel, ...migrations: Migration[]) => {
        const migrator = await openMigrator({ url, accessors: [new ModelAccessor(model, 'items')], migrations })
        try {
          return await migrator.up()
        } finally {
          await migrator.close()
        }
      }
      expect(await migrated(Item)).toMatchObject({ made: true, differences: [] })
      const { items } = await open(url, { createTables: false })
      for (const org of ['red', 'blue']) await items.insert({ org, name: 'quiet' })
      await close()
      expect(await visible(url)).toEqual({ items: 0, entries: 0 })
      expect(await migrated(Item, shout)).toMatchObject({ applied: [shout.name], differences: [] })
      const again = await open(url, { createTables: false })
      expect((await again.items.find()).map(({ name }) => name)).toEqual(['LOUD', 'LOUD'])
      await close()
      const Renamed = defineModel(
        'items',
        { tenant: Type.String(), name: Type.String() },
        { tenant: 'tenant', renamedFields: { tenant: 'org' } },
      )
      const renamed = new ModelAccessor(Renamed, 'items')
      const rename: Migration = {
        name: '20260101500000_rename',
        up: (_db, schema) => schema.alterTable('items', { renameFields: { org: 'tenant' } }),
        down: (_db, schema) => schema.alterTable('items', { renameFields: { tenant: 'org' } }),
      }
      expect(await migrated(Renamed, shout, rename)).toMatchObject({ applied: [rename.name], differences: [] })
      const storage = (await openStorage({ url, accessors: [renamed], createTables: false })) as unknown as Storage
      expect(await renamed.count({}, { tenant: 'red' })).toBe(1)
      await storage.close()
      expect(await visible(url)).toEqual({ items: 0, entries: 0 })
      const back = await openMigrator({ url, accessors: [], migrations: [shout, rename] })
      expect(await back.down()).toEqual([rename.name])
      await back.close()
      const Left = defineModel('items', { name: Type.String() })
      expect(await migrated(Left, shout, leave)).toMatchObject({ applied: [leave.name], differences: [] })
      await open(url, { model: Left as never, createTables: false })
      expect(await visible(url)).toEqual({ items: 2, entries: 0 })
    })

    test('hold nobody back whom the server lets past, which is told at the start', async () => {
      const url = new URL(await database.freshUrl())
      const warnings: string[] = []
      const role = `passing_${url.searchParams.get('options')?.slice(-12)}`
      await asSuperuser((client) => client.query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD 'x'`))
      url.username = role
      url.password = 'x'
      try {
        await open(url.href.replaceAll('+', '%20'), { warnings })
        expect(warnings).toEqual([expect.stringContaining('lets this role past row-level security')])
        await close()
      } finally {
        await asSuperuser((client) => client.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`))
      }
    })
  })
})
