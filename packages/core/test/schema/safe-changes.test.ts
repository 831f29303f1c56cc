import {
  type AnyModel,
  Decimal,
  Default,
  defineModel,
  Int64,
  ModelAccessor,
  openStorage,
  Ref,
  type Storage,
  type StorageOptions,
} from '@strongroom/core'
import { describeEngines, needs } from '@strongroom/testkit'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { rejectionOf } from '../support.ts'

const Team = defineModel('teams', { name: Type.String() })

/** A record in words of no model: these tests change the model under it. */
type Loose = Record<string, unknown>

describeEngines('a start', (engine) => {
  let url: string
  const opened: Storage[] = []
  const open = async (models: readonly AnyModel[], options: Partial<StorageOptions> = {}): Promise<Storage> => {
    const storage = await openStorage({ url, accessors: models.map((model) => new ModelAccessor(model, model.name)), ...options })
    opened.push(storage)
    return storage
  }
  const fill = async (model: AnyModel, ...rows: readonly Loose[]): Promise<void> => {
    const storage = await open([model, Team])
    // The model is one of many.
    await storage.accessor(model).insertMany(rows as never[])
    await storage.close()
  }

  beforeEach(async () => {
    url = await engine.freshUrl()
  })
  afterEach(async () => {
    for (const storage of opened.splice(0)) await storage.close()
  })

  const plain = defineModel('things', { a: Type.String() })
  const filled: readonly Loose[] = [{ a: 'one' }, { a: 'two' }]

  const changes: [string, AnyModel, AnyModel, readonly Loose[], readonly Loose[], RegExp, fresh?: string][] = [
    [
      'a field that takes null',
      plain,
      defineModel('things', { b: Type.Optional(Type.String()), a: Type.String() }),
      filled,
      [
        { a: 'one', b: null },
        { a: 'two', b: null },
      ],
      /things\.b is missing/,
    ],
    [
      'a field with a default, which the records get',
      plain,
      defineModel('things', {
        a: Type.String(),
        price: Default(Decimal({ precision: 6, scale: 2 }), '1.50'),
        on: Default(Type.Boolean(), true),
      }),
      filled,
      [
        { a: 'one', price: '1.50', on: true },
        { a: 'two', price: '1.50', on: true },
      ],
      /things\.price is missing/,
    ],
    [
      'a reference that takes null',
      plain,
      defineModel('things', { a: Type.String(), team: Type.Optional(Ref(() => Team)) }),
      filled,
      [
        { a: 'one', team: null },
        { a: 'two', team: null },
      ],
      /things\.team is missing/,
    ],
    ['an index', plain, defineModel('things', { a: Type.String() }, { indexes: [['a']] }), filled, filled, /no index on \(a\)/],
    [
      'a field that takes null from now on',
      plain,
      defineModel('things', { a: Type.Optional(Type.String()) }),
      filled,
      filled,
      /things\.a is NOT NULL/,
    ],
    [
      'an enum that takes more',
      defineModel('things', { a: Type.Enum(['one', 'two']) }),
      defineModel('things', { a: Type.Enum(['two', 'one', `it's`]) }),
      filled,
      filled,
      /does not take .*it's/,
      `it's`,
    ],
    [
      'an enum that takes everything',
      defineModel('things', { a: Type.Enum(['one', 'two']) }),
      plain,
      filled,
      filled,
      /takes .*one.* alone/,
    ],
    [
      'a wider number',
      defineModel('things', { a: Type.String(), n: Type.Integer(), d: Decimal({ precision: 4, scale: 2 }) }),
      defineModel('things', { a: Type.String(), n: Int64(), d: Decimal({ precision: 9, scale: 2 }) }),
      [{ a: 'one', n: 7, d: '12.50' }],
      [{ a: 'one', n: 7n, d: '12.50' }],
      /things\.d/,
    ],
    [
      'a key that is no longer unique',
      defineModel('things', { a: Type.String() }, { unique: [['a']] }),
      plain,
      filled,
      filled,
      /unique index on \(a\) that the model does not have/,
    ],
    [
      'soft deletion, with keys of live records',
      defineModel('things', { a: Type.String() }, { unique: [['a']] }),
      defineModel('things', { a: Type.String() }, { unique: [['a']], softDelete: true }),
      filled,
      [
        { a: 'one', deleted_at: null },
        { a: 'two', deleted_at: null },
      ],
      /no unique index on \(a\) of live records/,
    ],
    [
      'a reference that is none any more',
      defineModel('things', { a: Type.String(), team: Type.Optional(Ref(() => Team)) }, { indexes: [['team']] }),
      defineModel('things', { a: Type.String(), team: Type.Optional(Type.Integer()) }, { indexes: [['team']] }),
      filled,
      [
        { a: 'one', team: null },
        { a: 'two', team: null },
      ],
      /foreign key to teams\.id that the model does not have/,
    ],
  ]

  describe('makes by itself', () => {
    test.each(changes)('%s', async (_name, standing, wanted, given, expected, sentence, fresh = 'three') => {
      await fill(standing, ...given)
      const storage = await open([wanted, Team])
      const rows = await storage.accessor(wanted).all()
      expect(rows).toEqual(expected.map((row, index) => ({ id: index + 1, ...row })))
      expect(await storage.health()).toMatchObject({ schemaDifferences: [] })
      // Somebody did it, and what it was.
      const [entry] = await storage.audit.find({ component: 'strongroom_migrations' })
      expect(entry).toMatchObject({ operation: 'create', actor: 'internal', before: null, after: { kind: 'automatic' } })
      expect(JSON.stringify(entry?.after)).toMatch(sentence)
      // The table takes what the model takes, and gives ids that were not given before.
      const { deleted_at: _deleted, ...more } = expected[0] ?? {}
      expect(await storage.accessor(wanted).insert({ ...more, a: fresh } as never)).toMatchObject({ id: given.length + 1 })
      await storage.close()
      const again = await open([wanted, Team])
      expect(await again.audit.count({ component: 'strongroom_migrations' })).toBe(1)
    })
  })

  test('keeps ids, versions and what others have added when it writes a table anew', async () => {
    const Before = defineModel('things', { a: Type.String(), team: Type.Optional(Ref(() => Team)) }, { unique: [['a']] })
    const After = defineModel('things', { a: Type.Optional(Type.String()), team: Type.Optional(Ref(() => Team)) }, { unique: [['a']] })
    const first = await open([Before, Team])
    const teams = first.accessor(Team)
    const things = first.accessor(Before)
    await teams.insert({ name: 't' })
    for (const a of ['one', 'two', 'three']) await things.insert({ a, team: 1 })
    await things.delete(3)
    await first.transaction(
      async ({ kysely }) => {
        await sql`alter table things add column remark text`.execute(kysely)
        await sql`create index mine on things (remark)`.execute(kysely)
        await sql`update things set remark = 'kept' where id = 1`.execute(kysely)
        await sql`create view overview as select a, remark from things`.execute(kysely)
      },
      { unaudited: true },
    )
    const versions = await sql`select id, row_version from things order by id`.execute(first.kysely)
    await first.close()
    const second = await open([After, Team])
    expect((await sql`select id, row_version from things order by id`.execute(second.kysely)).rows).toEqual(versions.rows)
    expect((await sql`select a, remark from overview order by a`.execute(second.kysely)).rows).toEqual([
      { a: 'one', remark: 'kept' },
      { a: 'two', remark: null },
    ])
    expect(await second.accessor(After).insert({ a: null, team: 1 })).toMatchObject({ id: 4 })
    expect(await rejectionOf(second.accessor(After).insert({ a: 'one' }))).toMatchObject({ code: 'unique_conflict' })
    expect(await rejectionOf(second.accessor(After).insert({ a: 'x', team: 9 }))).toMatchObject({
      code: 'reference_conflict',
      fields: ['team'],
    })
    expect(await rejectionOf(second.accessor(Team).purge(1))).toMatchObject({ code: 'reference_conflict' })
  })

  test('makes an index of all records beside one that leaves some out', async () => {
    const Before = defineModel('things', { a: Type.Optional(Type.String()) })
    const After = defineModel('things', { a: Type.Optional(Type.String()) }, { indexes: [['a']] })
    const first = await open([Before, Team])
    await first.transaction(
      async ({ kysely }) => {
        await sql`create index mine on things (a) where a is not null`.execute(kysely)
      },
      { unaudited: true },
    )
    await first.close()
    expect(await rejectionOf(open([After, Team], { createTables: false }))).toMatchObject({
      differences: [expect.stringMatching(/no index on \(a\)/)],
    })
    await (await open([After, Team])).close()
    await (await open([After, Team], { createTables: false })).close()
  })

  needs(engine, 'pragmas', () => {
    test('leaves triggers on the table and on the audit log, and looks at references again', async () => {
      const Before = defineModel('things', { a: Type.String() })
      const first = await open([Before, Team])
      await first.transaction(
        async ({ kysely }) => {
          await sql`create trigger loud after insert on things begin update teams set name = 'told'; end`.execute(kysely)
          await sql`create trigger held before delete on strongroom_audit_log begin select raise(abort, 'no'); end`.execute(kysely)
        },
        { unaudited: true },
      )
      await first.accessor(Team).insert({ name: 't' })
      await first.close()
      const After = defineModel('things', { a: Type.Optional(Type.String()) })
      const second = await open([After, Team])
      await second.accessor(After).insert({ a: 'x' })
      expect(await second.accessor(Team).get(1)).toMatchObject({ name: 'told' })
      const triggers = await sql<{
        name: string
      }>`select name from sqlite_schema where type = 'trigger' and name in ('loud', 'held')`.execute(second.kysely)
      expect(triggers.rows).toHaveLength(2)
      const [flag] = (await sql<{ sql: string }>`select sql from sqlite_schema where name = 'things'`.execute(second.kysely)).rows
      expect(flag?.sql).toMatch(/STRICT$/)
      expect((await sql`pragma foreign_keys`.execute(second.kysely)).rows).toEqual([{ foreign_keys: 1 }])
    })
  })

  test('changes nothing at all where one difference could lose or refuse data', async () => {
    await fill(plain, ...filled)
    const wanted = defineModel('things', { a: Type.Integer(), b: Type.Optional(Type.String()) })
    const Other = defineModel('others', { c: Type.String() })
    const error = await rejectionOf(open([wanted, Team, Other]))
    expect(error).toMatchObject({ code: 'schema_mismatch', message: expect.stringMatching(/Nothing was changed.*strongroom migrate new/s) })
    const storage = await open([plain, Team])
    expect(await storage.accessor(plain).count()).toBe(2)
    expect(await rejectionOf(storage.kysely.selectFrom('others').selectAll().execute())).toBeInstanceOf(Error)
    expect(await storage.audit.count({ component: 'strongroom_migrations' })).toBe(0)
  })

  test('changes nothing where tables are not to be made', async () => {
    await fill(plain, ...filled)
    const wanted = defineModel('things', { a: Type.String(), b: Type.Optional(Type.String()) })
    expect(await rejectionOf(open([wanted, Team], { createTables: false }))).toMatchObject({
      code: 'schema_mismatch',
      differences: [expect.stringMatching(/things\.b is missing/)],
    })
  })

  test('at the same time as others does it once', async () => {
    await fill(plain, ...filled)
    const wanted = defineModel('things', { a: Type.Optional(Type.String()), b: Default(Type.String(), 'x') })
    const storages = await Promise.all(Array.from({ length: 4 }, () => open([wanted, Team])))
    expect(await storages[0]?.audit.count({ component: 'strongroom_migrations' })).toBe(1)
    expect(await storages[3]?.accessor(wanted).count({ b: 'x' })).toBe(2)
  })
})
