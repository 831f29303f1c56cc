import { join } from 'node:path'
import {
  type AnyModel,
  defineModel,
  type Migration,
  type Migrator,
  ModelAccessor,
  openMigrator,
  openStorage,
  type SchemaEditor,
  type Storage,
  type StorageOptions,
} from '@strongroom/core'
import { describeEngines, tempFolder } from '@strongroom/testkit'
import Database from 'better-sqlite3'
import { sql } from 'kysely'
import pg from 'pg'
import { Type } from 'typebox'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { rejectionOf } from '../support.ts'

const Thing = defineModel('things', { a: Type.String(), b: Type.String() }, { unique: [['a']], indexes: [['b']] })
const accessorsOf = (model: AnyModel) => [new ModelAccessor(model, model.name)]

describeEngines('a migration', (engine) => {
  let url: string
  const opened: { close(): Promise<void> }[] = []
  const open = async (model: AnyModel = Thing, options: Partial<StorageOptions> = {}): Promise<Storage> => {
    const storage = await openStorage({ url, accessors: accessorsOf(model), ...options })
    opened.push(storage)
    return storage
  }
  const migratorOf = async (up: Migration['up'], model: AnyModel = Thing): Promise<Migrator> => {
    const migrator = await openMigrator({ url, accessors: accessorsOf(model), migrations: [{ name: '001', up }] })
    opened.push(migrator)
    return migrator
  }
  /** What the migration is refused with, after which everything is as it was. */
  const refusalOf = async (up: Migration['up']): Promise<unknown> => {
    const migrator = await migratorOf(up)
    const refusal = await rejectionOf(migrator.up())
    expect(await migrator.diff()).toMatchObject({ differences: [] })
    return refusal
  }
  const altering =
    (changes: object): Migration['up'] =>
    (_db, schema) =>
      // As JavaScript may say it.
      schema.alterTable('things', changes as Parameters<SchemaEditor['alterTable']>[1])

  beforeEach(async () => {
    url = await engine.freshUrl()
    const storage = await open()
    await storage.accessor(Thing).insertMany([
      { a: 'one', b: '1' },
      { a: 'two', b: '2' },
    ])
    await storage.close()
  })
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close()
  })

  test.each<[string, object, RegExp]>([
    [
      'that takes a field for another type',
      { changeFields: { b: { from: { type: 'integer' }, to: { type: 'number' } } } },
      /things\.b is text, and the migration takes it for integer/,
    ],
    [
      'that takes a field for one with null',
      { changeFields: { b: { from: { type: 'text', nullable: true }, to: { type: 'integer', nullable: true } } } },
      /things\.b is text, and the migration takes it for text or null/,
    ],
    [
      'that takes a field for one of some values',
      { changeFields: { b: { from: { type: 'text', values: ['1', '2'] }, to: { type: 'text' } } } },
      /things\.b is text, and the migration takes it for text of 2 values/,
    ],
    ['with a misspelt kind of change', { addField: { c: { type: 'text' } } }, /"addField".*addFields/],
    ['with a misspelt rule of a field', { addFields: { c: { type: 'text', nulable: true } } }, /"nulable".*nullable/],
    ['with a misspelt side', { changeFields: { b: { from: { type: 'text' }, to: { type: 'text', default: 1 } } } }, /"default"/],
    ['with a misspelt rule of an index', { addIndexes: [{ fields: ['b'], uniqe: true }] }, /"uniqe".*unique/],
    ['with a misspelt leave to lose values', { dropFields: { b: { type: 'text', discrad: true } } }, /"discrad".*discard/],
  ])('%s is refused', async (_name, changes, sentence) => {
    expect(await refusalOf(altering(changes))).toMatchObject({ code: 'migration_refused', message: expect.stringMatching(sentence) })
  })

  test('of a column that a view names is refused until the view is dropped, and can make it again', async () => {
    const looking = await openMigrator({
      url,
      migrations: [{ name: '000', up: async (db) => void (await sql`CREATE VIEW report AS SELECT id, b FROM things`.execute(db)) }],
    })
    opened.push(looking)
    await looking.up()
    const refused = { code: 'migration_refused', message: expect.stringMatching(/things\.b cannot .* while the view report names it/) }
    const steps: Migration['up'][] = [
      altering({ dropFields: { b: { type: 'text', discard: true } } }),
      altering({ changeFields: { b: { from: { type: 'text' }, to: { type: 'integer' } } } }),
    ]
    for (const up of steps) expect(await refusalOf(up)).toMatchObject(refused)
    const migrator = await migratorOf(async (db, schema) => {
      await sql`DROP VIEW report`.execute(db)
      await schema.alterTable('things', { changeFields: { b: { from: { type: 'text' }, to: { type: 'integer' } } } })
      await sql`CREATE VIEW report AS SELECT id, b + 1 AS b FROM things`.execute(db)
    })
    await migrator.up()
    const storage = await open(defineModel('things', { a: Type.String(), b: Type.Integer() }, { unique: [['a']], indexes: [['b']] }))
    expect((await sql`SELECT b FROM report ORDER BY b`.execute(storage.kysely)).rows).toEqual([{ b: 2 }, { b: 3 }])
  })

  test('of a column that a trigger names is refused', async () => {
    const made = await openMigrator({
      url,
      migrations: [
        {
          name: '000',
          up: async (db) => {
            if (engine.name === 'sqlite') await sql`CREATE TRIGGER tell AFTER UPDATE OF b ON things BEGIN SELECT NEW.b; END`.execute(db)
            else {
              await sql`CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`.execute(db)
              await sql`CREATE TRIGGER tell AFTER UPDATE OF b ON things FOR EACH ROW EXECUTE FUNCTION tell()`.execute(db)
            }
          },
        },
      ],
    })
    opened.push(made)
    await made.up()
    expect(await refusalOf(altering({ dropFields: { b: { type: 'text', discard: true } } }))).toMatchObject({
      code: 'migration_refused',
      message: expect.stringMatching(/things\.b cannot go while the trigger tell names it/),
    })
    const migrator = await migratorOf(altering({ changeFields: { a: { from: { type: 'text' }, to: { type: 'text', nullable: true } } } }))
    expect(await migrator.up()).toMatchObject({ applied: ['001'] })
  })

  test('swaps the names of two fields, with their unique keys and indexes', async () => {
    const Both = defineModel('things', { a: Type.String(), b: Type.String() }, { unique: [['a'], ['b']] })
    const before = await open(defineModel('things', { a: Type.String(), b: Type.String() }, { unique: [['a']], indexes: [['b']] }))
    await before.close()
    const unique = await migratorOf(altering({ dropIndexes: [{ fields: ['b'] }], addIndexes: [{ fields: ['b'], unique: true }] }), Both)
    await unique.up()
    const swap = await openMigrator({
      url,
      accessors: accessorsOf(Both),
      migrations: [
        { name: '001', up: () => undefined },
        { name: '002', up: altering({ renameFields: { a: 'b', b: 'a' } }) },
      ],
    })
    opened.push(swap)
    expect(await swap.up()).toEqual({ applied: ['002'], made: false, differences: [] })
    const storage = await open(Both)
    expect(await storage.accessor(Both).all()).toEqual([
      { id: 1, a: '1', b: 'one' },
      { id: 2, a: '2', b: 'two' },
    ])
    expect(await rejectionOf(storage.accessor(Both).insert({ a: '3', b: 'one' }))).toMatchObject({ code: 'unique_conflict' })
  })

  test('is not needed for an index that was built by hand before, while writers went on', async () => {
    const Keyed = defineModel('things', { a: Type.String(), b: Type.String() }, { unique: [['a'], ['b']], indexes: [['b']] })
    const migrator = await migratorOf(() => undefined, Keyed)
    expect(await migrator.diff()).toMatchObject({ needMigration: [expect.stringContaining('(b)')] })
    const columns = '"things__b__key" ON things (b)'
    if (engine.name === 'postgres') {
      const client = new pg.Client(url)
      await client.connect()
      await client.query(`CREATE UNIQUE INDEX CONCURRENTLY ${columns}`)
      await client.end()
    } else {
      const database = new Database(url.slice('sqlite:'.length))
      database.exec(`CREATE UNIQUE INDEX ${columns}`)
      database.close()
    }
    const later = await migratorOf(() => undefined, Keyed)
    expect(await later.diff()).toMatchObject({ differences: [] })
    const storage = await open(Keyed)
    expect(await rejectionOf(storage.accessor(Keyed).insert({ a: 'x', b: '1' }))).toMatchObject({ code: 'unique_conflict' })
  })

  test('stays undone by the undo of a restore, which brings the older content up to it', async () => {
    const Wider = defineModel('things', { a: Type.String(), b: Type.String(), c: Type.String() }, { unique: [['a']], indexes: [['b']] })
    const addC: Migration = { name: '001', up: altering({ addFields: { c: { type: 'text', fill: 'filled' } } }) }
    const storage = await open()
    const folder = await tempFolder('undo')
    const file = join(folder.path, 'before.sqlite')
    await storage.backup(file)
    await storage.accessor(Thing).insert({ a: 'three', b: '3' })
    await storage.restore(file)
    await folder.remove()
    expect(await storage.accessor(Thing).count()).toBe(2)
    await storage.close()
    const wider = await open(Wider, { migrations: [addC] })
    await wider.undoRestore()
    expect(await wider.accessor(Wider).find({ where: { a: 'three' } })).toMatchObject([{ b: '3', c: 'filled' }])
    expect(await wider.accessor(Wider).count({ c: 'filled' })).toBe(3)
    expect((await wider.health()).migrations).toMatchObject({ pending: [] })
  })
})
