import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AnyModel,
  defineModel,
  type Migration,
  type Migrator,
  ModelAccessor,
  openMigrator,
  openStorage,
  type Storage,
  type StorageOptions,
} from '@strongroom/core'
import { describeEngines, tempFolder } from '@strongroom/testkit'
import { Type } from 'typebox'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { rejectionOf } from '../support.ts'

const Before = defineModel('things', { a: Type.String() })
const After = defineModel('things', { a: Type.String(), b: Type.String() })
const accessorsOf = (...models: readonly AnyModel[]) => models.map((model) => new ModelAccessor(model, model.name))

const addB: Migration = {
  name: '20260101000000_add_b',
  checksum: 'one',
  up: (_db, schema) => schema.alterTable('things', { addFields: { b: { type: 'text', fill: 'filled' } } }),
  down: (_db, schema) => schema.alterTable('things', { dropFields: { b: { type: 'text', discard: true } } }),
}
const shout: Migration = {
  name: '20260102000000_shout',
  up: async (db) => void (await db.updateTable('things').set({ a: 'LOUD' }).execute()),
}

describeEngines('migrations', (engine) => {
  let url: string
  const opened: { close(): Promise<void> }[] = []
  const open = async (model: AnyModel, options: Partial<StorageOptions> = {}): Promise<Storage> => {
    const storage = await openStorage({ url, accessors: accessorsOf(model), ...options })
    opened.push(storage)
    return storage
  }
  const migratorOf = async (migrations: readonly Migration[] | string, model: AnyModel = After): Promise<Migrator> => {
    const migrator = await openMigrator({ url, accessors: accessorsOf(model), migrations })
    opened.push(migrator)
    return migrator
  }
  const fill = async (): Promise<void> => {
    const storage = await open(Before)
    await storage.accessor(Before).insertMany([{ a: 'one' }, { a: 'two' }])
    await storage.close()
  }

  beforeEach(async () => {
    url = await engine.freshUrl()
  })
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close()
  })

  test('are applied in order, once, each with a record and an entry in the log that names who did it', async () => {
    await fill()
    const migrator = await migratorOf([shout, addB])
    expect(await migrator.status()).toEqual({ applied: [], pending: [addB.name, shout.name], changed: [], missing: [] })
    expect(await migrator.up({ actor: 'olga', requestId: 'r1' })).toEqual({
      applied: [addB.name, shout.name],
      made: false,
      differences: [],
    })
    expect(await migrator.up({ actor: 'olga' })).toEqual({ applied: [], made: false, differences: [] })
    const { applied, pending } = await migrator.status()
    expect(pending).toEqual([])
    expect(applied).toMatchObject([
      { name: addB.name, kind: 'migration', actor: 'olga', changes: ['things.b was added, as text.'] },
      { name: shout.name, kind: 'migration', actor: 'olga', changes: [] },
    ])
    const storage = await open(After, { createTables: false, migrations: [addB, shout] })
    expect(await storage.accessor(After).all()).toMatchObject([
      { id: 1, a: 'LOUD', b: 'filled' },
      { id: 2, a: 'LOUD', b: 'filled' },
    ])
    const entries = await storage.audit.find({ component: 'strongroom_migrations' })
    expect(entries).toMatchObject([
      { record_id: shout.name, operation: 'create', actor: 'olga', before: null, after: { name: shout.name, kind: 'migration' } },
      { record_id: addB.name, operation: 'create', actor: 'olga', request_id: 'r1', after: { checksum: 'one' } },
    ])
  })

  test('are applied by a start with the option, and stop one that makes no tables', async () => {
    await fill()
    expect(await rejectionOf(open(After, { createTables: false, migrations: [addB] }))).toMatchObject({
      code: 'schema_mismatch',
      differences: [expect.stringContaining(addB.name), expect.stringContaining('things.b is missing')],
    })
    const storage = await open(After, { migrations: [addB, shout] })
    expect(await storage.accessor(After).count({ b: 'filled', a: 'LOUD' })).toBe(2)
    expect((await storage.health()).migrations).toEqual({ pending: [], changed: [], missing: [] })
  })

  test('are contained in tables that are made from the models as they are', async () => {
    const first = await open(After, { migrations: [addB] })
    await first.accessor(After).insert({ a: 'x', b: 'y' })
    await first.close()
    const migrator = await migratorOf([addB, shout])
    expect(await migrator.status()).toMatchObject({ applied: [{ name: addB.name, kind: 'contained' }], pending: [shout.name] })
    expect(await migrator.up()).toMatchObject({ applied: [shout.name] })
  })

  test('make the tables of an empty database, too', async () => {
    const migrator = await migratorOf([addB])
    expect(await migrator.up({ actor: 'deploy' })).toEqual({ applied: [], made: true, differences: [] })
    await open(After, { createTables: false, migrations: [addB] })
  })

  test('that were changed after they were applied are refused by name', async () => {
    await fill()
    await (await migratorOf([addB])).up()
    const changed = { ...addB, checksum: 'two' }
    const refusal = { code: 'migration_changed', message: expect.stringContaining(addB.name) }
    expect(await rejectionOf((await migratorOf([changed, shout])).up())).toMatchObject(refusal)
    expect(await rejectionOf((await migratorOf([changed])).down())).toMatchObject(refusal)
    expect(await rejectionOf(open(After, { migrations: [changed] }))).toMatchObject(refusal)
    const storage = await open(After)
    expect(await storage.accessor(After).count({ a: 'LOUD' })).toBe(0)
    expect((await (await migratorOf([changed])).status()).changed).toEqual([addB.name])
  })

  test('that are not there any more are told by the health, and stop nobody', async () => {
    await fill()
    await (await migratorOf([addB, shout])).up()
    const storage = await open(After, { migrations: [addB] })
    expect((await storage.health()).migrations).toEqual({ pending: [], changed: [], missing: [shout.name] })
  })

  test('are undone whole by a throw: those before stay, and the next run goes on', async () => {
    await fill()
    let fails = true
    const fragile: Migration = {
      name: '20260103000000_fragile',
      up: async (db, schema) => {
        await db.insertInto('things').values({ a: 'half', b: 'x', row_version: 'v' }).execute()
        await schema.alterTable('things', { addFields: { c: { type: 'integer', nullable: true } } })
        if (fails) throw new Error('in the middle')
      },
    }
    const migrator = await migratorOf([addB, fragile])
    expect(await rejectionOf(migrator.up())).toMatchObject({ message: 'in the middle' })
    expect(await migrator.status()).toMatchObject({ applied: [{ name: addB.name }], pending: [fragile.name] })
    const storage = await open(After)
    expect(await storage.accessor(After).count()).toBe(2)
    await storage.close()
    fails = false
    expect(await migrator.up()).toMatchObject({ applied: [fragile.name] })
  })

  test('run in one instance at a time, and once', async () => {
    await fill()
    let runs = 0
    const counted: Migration = {
      name: '20260104000000_counted',
      up: async (db) => {
        runs++
        await db
          .insertInto('things')
          .values({ a: `run ${runs}`, b: 'x', row_version: 'v' })
          .execute()
      },
    }
    const migrators = await Promise.all(Array.from({ length: 4 }, () => migratorOf([addB, counted])))
    const reports = await Promise.all(migrators.map((migrator) => migrator.up()))
    expect(reports.flatMap(({ applied }) => applied).toSorted()).toEqual([addB.name, counted.name])
    const storage = await open(After)
    expect(await storage.accessor(After).count({ a: { startsWith: 'run' } })).toBe(1)
  })

  test('are taken back, the newest first; one without down stays', async () => {
    await fill()
    const migrator = await migratorOf([addB])
    await migrator.up()
    expect(await migrator.down({ actor: 'olga' })).toEqual([addB.name])
    expect(await migrator.down()).toEqual([])
    const storage = await open(Before)
    expect(await storage.accessor(Before).count()).toBe(2)
    expect(await storage.audit.find({ component: 'strongroom_migrations', operation: 'delete' })).toMatchObject([
      { actor: 'olga', record_id: addB.name },
    ])
    await storage.close()
    const both = await migratorOf([addB, shout])
    await both.up()
    expect(await rejectionOf(both.down({ steps: 2 }))).toMatchObject({
      code: 'migration_refused',
      message: expect.stringMatching(/shout.*has no down/),
    })
  })

  describe('in files', () => {
    test('are written from the difference, applied, told when they change, and taken back', async () => {
      await fill()
      const folder = await tempFolder('migrations')
      try {
        const migrator = await migratorOf(folder.path)
        expect(await migrator.diff()).toMatchObject({
          differences: [expect.stringContaining('things.b is missing')],
          needMigration: [expect.stringContaining('things.b')],
          leftovers: [],
        })
        const path = await migrator.write('Add field "b"!')
        expect(path).toMatch(/\/\d{14}_add_field_b\.ts$/)
        // It is refused as it stands: what do the records get?
        expect(await rejectionOf(migrator.up())).toMatchObject({
          code: 'migration_refused',
          message: expect.stringMatching(
            /add_field_b: things\.b takes no null, and 2 records would have none.*id 1, 2\. Nothing was changed/,
          ),
        })
        expect(await migrator.write('nothing', { empty: true })).toMatch(/_nothing\.ts$/)
      } finally {
        await folder.remove()
      }
    })

    test('are read from TypeScript and JavaScript, tests and types apart', async () => {
      await fill()
      const folder = await tempFolder('migrations')
      try {
        const text = `import type { SchemaEditor } from '@strongroom/core'
export async function up(_db: unknown, schema: SchemaEditor): Promise<void> {
  await schema.alterTable('things', { addFields: { b: { type: 'text', fill: 'x' } } })
}
`
        const file = join(folder.path, '001_add_b.ts')
        await writeFile(file, text)
        await writeFile(
          join(folder.path, '002_more.js'),
          'export const up = (db) => db.deleteFrom("things").where("id", "=", 1).execute()\n',
        )
        await writeFile(join(folder.path, '001_add_b.test.ts'), 'throw new Error("no migration")')
        await writeFile(join(folder.path, 'notes.md'), '')
        const migrator = await migratorOf(folder.path)
        expect(await migrator.up()).toEqual({ applied: ['001_add_b', '002_more'], made: false, differences: [] })
        await writeFile(file, text.replaceAll('\n', '\r\n'))
        expect((await migrator.status()).changed).toEqual([])
        await writeFile(file, `${text}// more\n`)
        expect((await migrator.status()).changed).toEqual(['001_add_b'])
      } finally {
        await folder.remove()
      }
    })
  })

  test.each([
    ['a folder that there is not', '/nowhere/at/all', /no folder/],
    ['a name that is none', [{ ...addB, name: '../x' }], /name of letters/],
    ['a name twice', [addB, addB], /Two migrations are called/],
    ['no up', [{ name: 'x' }], /exports no function up/],
  ])('%s is refused', async (_name, migrations, sentence) => {
    expect(await rejectionOf(open(After, { migrations: migrations as Migration[] }))).toMatchObject({
      code: 'invalid_options',
      message: expect.stringMatching(sentence),
    })
  })
})
