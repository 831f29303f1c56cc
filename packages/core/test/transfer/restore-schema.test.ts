import { join } from 'node:path'
import { type AnyModel, Default, defineModel, type Migration, ModelAccessor, openStorage, type Storage } from '@strongroom/core'
import { describeEngines, tempFolder } from '@strongroom/testkit'
import Database from 'better-sqlite3'
import { Type } from 'typebox'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { rejectionOf } from '../support.ts'

const Old = defineModel('things', { a: Type.String(), n: Type.String() }, { unique: [['a']] })
const New = defineModel(
  'items',
  { title: Type.String(), n: Type.Integer(), on: Default(Type.Boolean(), true) },
  { unique: [['title']], renamedFrom: 'things', renamedFields: { title: 'a' } },
)
const rename: Migration = {
  name: '001_items',
  up: async (_db, schema) => {
    await schema.renameTable('things', 'items')
    await schema.alterTable('items', {
      renameFields: { a: 'title' },
      changeFields: { n: { from: { type: 'text' }, to: { type: 'integer' } } },
    })
  },
}

describeEngines('a backup of another schema', (engine) => {
  const opened: { close(): Promise<void> }[] = []
  let folder: string
  const open = async (url: string, model: AnyModel, migrations?: readonly Migration[]): Promise<Storage> => {
    const storage = await openStorage({ url, accessors: [new ModelAccessor(model, model.name)], ...(migrations && { migrations }) })
    opened.push(storage)
    return storage
  }
  /** A backup of a database with these records. */
  const backupOf = async (model: AnyModel, rows: readonly object[], migrations?: readonly Migration[]): Promise<string> => {
    const storage = await open(await engine.freshUrl(), model, migrations)
    // The records fit the model.
    await storage.accessor(model).insertMany(rows as never[])
    const file = join(folder, 'backup.sqlite')
    await storage.backup(file)
    return file
  }
  const edited = (file: string, sql: string): string => {
    const database = new Database(file)
    database.exec(sql)
    database.close()
    return file
  }

  beforeEach(async () => {
    const made = await tempFolder('restore-schema')
    folder = made.path
    opened.push({ close: made.remove })
  })
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close()
  })

  const rows = [
    { a: 'one', n: '1' },
    { a: 'two', n: '2' },
  ]

  test('that is older is brought up: a dry run tells how, and a restore does it', async () => {
    const backup = await backupOf(Old, rows)
    const storage = await open(await engine.freshUrl(), New, [rename])
    await storage.accessor(New).insert({ title: 'now', n: 7 })
    const offer = await storage.restore(backup, { dryRun: true, actor: 'olga' })
    expect(offer).toMatchObject({ restored: false, migrations: ['The migration 001_items is applied.'] })
    expect(await storage.accessor(New).all()).toMatchObject([{ title: 'now' }])
    await storage.restore(backup, { actor: 'olga' })
    expect(await storage.accessor(New).all()).toEqual([
      { id: 1, title: 'one', n: 1, on: true },
      { id: 2, title: 'two', n: 2, on: true },
    ])
    const entries = await storage.audit.find({ component: 'strongroom_migrations', actor: 'olga' })
    expect(entries.map(({ after }) => after?.['kind'])).toEqual(['automatic', 'migration'])
    expect((await storage.health()).schemaDifferences).toEqual([])
    expect(await storage.accessor(New).insert({ title: 'three', n: 3 })).toMatchObject({ id: 3 })
    await storage.close()
    await open(await engine.freshUrl(), New, [rename])
  })

  test('whose records stand against a migration is refused, in a dry run too, and nothing is touched', async () => {
    const backup = await backupOf(Old, [...rows, { a: 'three', n: 'many' }])
    const storage = await open(await engine.freshUrl(), New, [rename])
    await storage.accessor(New).insert({ title: 'now', n: 7 })
    for (const dryRun of [true, false]) {
      expect(await rejectionOf(storage.restore(backup, { dryRun }))).toMatchObject({
        code: 'migration_refused',
        message: expect.stringMatching(/001_items: items\.n cannot become integer: one record.*id 3/),
      })
    }
    expect(await storage.accessor(New).all()).toMatchObject([{ title: 'now' }])
  })

  test('that differs in what a start does by itself needs no migration', async () => {
    const backup = await backupOf(Old, rows)
    const Wider = defineModel(
      'things',
      { a: Type.String(), n: Type.Optional(Type.String()), b: Type.Optional(Type.String()) },
      { unique: [['a']] },
    )
    const storage = await open(await engine.freshUrl(), Wider)
    const { migrations } = await storage.restore(backup)
    expect(migrations).toEqual([expect.stringContaining('things.n is NOT NULL'), expect.stringContaining('things.b is missing')])
    expect(await storage.accessor(Wider).all()).toMatchObject([{ a: 'one', b: null }, { a: 'two' }])
    // What was changed on its way is no stranger in another database.
    const again = join(folder, 'again.sqlite')
    await storage.backup(again)
    const other = await open(await engine.freshUrl(), Wider)
    await other.restore(again)
    expect(await other.accessor(Wider).count()).toBe(2)
  })

  test('from which no migration leads here is a conflict', async () => {
    const backup = await backupOf(Old, rows)
    const Other = defineModel('things', { a: Type.String(), n: Type.Integer() }, { unique: [['a']] })
    const storage = await open(await engine.freshUrl(), Other)
    expect(await rejectionOf(storage.restore(backup))).toMatchObject({
      code: 'state_conflict',
      message: expect.stringMatching(/things\.n is TEXT; the model wants INTEGER.*no migration leads/),
    })
  })

  test('that is newer is a conflict, which names what this program does not know', async () => {
    const backup = await backupOf(New, [{ title: 'one', n: 1 }], [rename])
    const storage = await open(await engine.freshUrl(), defineModel('items', { title: Type.String(), n: Type.Integer() }), [])
    expect(await rejectionOf(storage.restore(backup))).toMatchObject({
      code: 'state_conflict',
      message: expect.stringMatching(/newer schema.*001_items/),
    })
  })

  describe('with a table that no model has', () => {
    const remembered = `INSERT INTO strongroom_tables (name, definition, changed_at, row_version)
      VALUES ('extra', '{"id":{"name":"id","type":"text"},"fields":{"x":{"type":"text"}}}', '2026-01-01T00:00:00.000Z', 'v');`

    test.each([
      ['that was never one of a model', 'CREATE TABLE extra (id TEXT PRIMARY KEY, x TEXT) STRICT;'],
      ['that a model had, and no migration removes', `${remembered} CREATE TABLE extra (id TEXT PRIMARY KEY, x TEXT) STRICT;`],
      ['that computes something', `${remembered} CREATE TABLE extra (id TEXT PRIMARY KEY, x TEXT CHECK (length(x) > 0)) STRICT;`],
      ['that is a view of what is remembered', 'DROP TABLE strongroom_tables; CREATE VIEW strongroom_tables AS SELECT 1 AS name;'],
    ])('%s is refused by name', async (_name, sql) => {
      const backup = edited(await backupOf(Old, rows), sql)
      const storage = await open(await engine.freshUrl(), Old)
      expect(await rejectionOf(storage.restore(backup))).toMatchObject({
        code: 'validation_failed',
        message: expect.stringMatching(/(table extra|view strongroom_tables)/),
      })
    })

    test('is let in where a migration removes it; nonsense in the memory is none', async () => {
      const sql = `${remembered} CREATE TABLE extra (id TEXT PRIMARY KEY, x TEXT) STRICT;
        INSERT INTO strongroom_tables (name, definition, changed_at, row_version) VALUES ('odd', '[7]', '2026-01-01T00:00:00.000Z', 'v');`
      const backup = edited(await backupOf(Old, rows), sql)
      const storage = await open(await engine.freshUrl(), Old, [{ name: '002_drop', up: (_db, schema) => schema.dropTable('extra') }])
      expect((await storage.restore(backup)).migrations).toEqual(['The migration 002_drop is applied.'])
      expect(await storage.accessor(Old).count()).toBe(2)
    })
  })
})
