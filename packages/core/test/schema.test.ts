import {
  type AnyModel,
  DateTime,
  Decimal,
  defineModel,
  Int64,
  ModelAccessor,
  openStorage,
  Ref,
  SchemaMismatchError,
  type Storage,
  type StorageOptions,
  UsageError,
} from '@strongroom/core'
import { describeEngines, needs } from '@strongroom/testkit'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { TableShape } from '../src/engine/engine.ts'
import { openEngine } from '../src/engine/open-engine.ts'
import { indexName } from '../src/model/constraint-names.ts'
import { rejectionOf } from './support.ts'

/** The tables of a database as the engine finds them. */
async function tablesAt(url: string): Promise<TableShape[]> {
  const engine = await openEngine(url, { sqlite: {}, postgres: {} })
  try {
    return await engine.read((connection) => engine.inspect(connection))
  } finally {
    await engine.close()
  }
}

const User = defineModel(
  'users',
  { name: Type.String(), email: Type.String(), age: Type.Optional(Type.Integer()) },
  { softDelete: true, stamps: true, unique: [['email']], indexes: [['name', 'age']] },
)
const Post = defineModel(
  'posts',
  {
    title: Type.String(),
    price: Type.Optional(Decimal({ precision: 8, scale: 2 })),
    author_id: Ref(() => User),
    twin: Type.Optional(Ref((): AnyModel<string> => Post)),
  },
  { id: 'uuid', unique: [['title']] },
)

describeEngines('the schema', (engine) => {
  let url: string
  const opened: Pick<Storage, 'close'>[] = []
  const open = async (models: readonly AnyModel[], options: Partial<StorageOptions> = {}): Promise<Storage> => {
    const storage = await openStorage({ url, accessors: models.map((model) => new ModelAccessor(model, model.name)), ...options })
    opened.push(storage)
    return storage
  }
  /** Opens once, so that the tables of these models stand. */
  const prepare = async (...models: readonly AnyModel[]): Promise<void> => {
    await (await open(models)).close()
  }
  const differencesOf = async (models: readonly AnyModel[], options?: Partial<StorageOptions>): Promise<readonly string[]> => {
    const error = await rejectionOf(open(models, options))
    expect(error).toBeInstanceOf(SchemaMismatchError)
    expect(error).toMatchObject({ code: 'schema_mismatch' })
    const { differences, message } = error as SchemaMismatchError
    for (const difference of differences) expect(message).toContain(difference)
    return differences
  }

  beforeEach(async () => {
    url = await engine.freshUrl()
  })
  afterEach(async () => {
    for (const storage of opened.splice(0)) await storage.close()
  })

  describe('is made', () => {
    test('with every table, and works', async () => {
      const storage = await open([User, Post])
      const [users, posts] = [storage.accessor(User), storage.accessor(Post)]
      const user = await users.insert({ name: 'A', email: 'a' })
      const post = await posts.insert({ title: 't', author_id: user.id })
      await posts.update(post.id, { twin: post.id })
      expect(await rejectionOf(posts.insert({ title: 't', author_id: user.id }))).toMatchObject({ code: 'unique_conflict' })
      expect(await rejectionOf(posts.insert({ title: 'u', author_id: 99 }))).toMatchObject({ code: 'reference_conflict' })
    })

    test('whatever order the models are given in, circles too', async () => {
      const Egg = defineModel('eggs', { hen: Type.Optional(Ref((): AnyModel<number> => Hen)) })
      const Hen = defineModel('hens', {
        egg: Type.Optional(Ref((): AnyModel<number> => Egg)),
        self: Type.Optional(Ref((): AnyModel<number> => Hen)),
      })
      const storage = await open([Post, Egg, Hen, User])
      const egg = await storage.accessor(Egg).insert({})
      const hen = await storage.accessor(Hen).insert({ egg: egg.id } as never)
      expect(await storage.accessor(Egg).update(egg.id, { hen: (hen as { id: number }).id } as never)).toMatchObject({ hen: 1 })
      expect(await rejectionOf(storage.accessor(Egg).insert({ hen: 99 } as never))).toMatchObject({
        code: 'reference_conflict',
        fields: ['hen'],
      })
      await storage.close()
      await open([Egg, Hen, Post, User])
    })

    needs(engine, 'pragmas', () => {
      test('as STRICT tables with indexes and foreign keys', async () => {
        const { kysely } = await open([User, Post])
        const tables = await sql<{
          name: string
          strict: number
        }>`select name, strict from pragma_table_list where schema = 'main' and name not like 'sqlite%'`.execute(kysely)
        expect(tables.rows.every((table) => table.strict === 1)).toBe(true)
        expect(tables.rows.map((table) => table.name).toSorted()).toEqual([
          'posts',
          'strongroom_audit_head',
          'strongroom_audit_log',
          'strongroom_backups',
          'strongroom_counters',
          'strongroom_erasures',
          'strongroom_jobs',
          'strongroom_kept_answers',
          'strongroom_migrations',
          'strongroom_state',
          'strongroom_tables',
          'users',
        ])
        const foreign = await sql<{
          from: string
        }>`select "from", "table", "to", on_delete from pragma_foreign_key_list('posts') order by "from"`.execute(kysely)
        expect(foreign.rows).toEqual([
          { from: 'author_id', table: 'users', to: 'id', on_delete: 'NO ACTION' },
          { from: 'twin', table: 'posts', to: 'id', on_delete: 'NO ACTION' },
        ])
        const plan = await sql<{ detail: string }>`explain query plan select * from users where email = 'x' and deleted_at is null`.execute(
          kysely,
        )
        expect(plan.rows.map((row) => row.detail).join()).toContain('users__email__key')
      })
    })

    needs(engine, 'sessions', () => {
      test('with text by code point, foreign keys without action, and an index for each reference', async () => {
        const { kysely } = await open([User, Post])
        const columns = await sql<{
          name: string
        }>`select a.attname as name from pg_attribute a join pg_collation c on c.oid = a.attcollation
          where a.attrelid = 'users'::regclass and a.attnum > 0 and c.collname <> 'C'`.execute(kysely)
        expect(columns.rows).toEqual([])
        const actions =
          await sql`select distinct confdeltype::text as action from pg_constraint where conrelid = 'posts'::regclass and contype = 'f'`.execute(
            kysely,
          )
        expect(actions.rows).toEqual([{ action: 'a' }])
        const indexes = await sql<{
          indexname: string
        }>`select indexname from pg_indexes where tablename = 'posts' and schemaname = current_schema() order by 1`.execute(kysely)
        expect(indexes.rows.map((row) => row.indexname)).toEqual([
          'posts__author_id__idx',
          'posts__title__key',
          'posts__twin__idx',
          'posts_pkey',
        ])
      })
    })

    test('whose names could be cut in two ways: each index and reference has its own', async () => {
      const models = [
        defineModel('user', { group_name: Type.String() }, { unique: [['group_name']], indexes: [['group_name', 'id']] }),
        defineModel('user_group', { name: Type.String() }, { unique: [['name']], indexes: [['name', 'id']] }),
        defineModel(
          't',
          { a__b: Type.String(), c: Type.String(), a: Type.String(), b__c: Type.String() },
          {
            unique: [
              ['a__b', 'c'],
              ['a', 'b__c'],
            ],
          },
        ),
        defineModel('t__a', { b: Type.String() }, { indexes: [['b']] }),
        defineModel(
          'x'.repeat(60),
          { ['y'.repeat(60)]: Type.String(), ['y'.repeat(59)]: Type.String() },
          { indexes: [['y'.repeat(60)], ['y'.repeat(59)]] },
        ),
      ]
      await prepare(...models)
      await prepare(...models)
    })

    test('once: opening again is quiet and keeps everything', async () => {
      const first = await open([User, Post])
      await first.accessor(User).insert({ name: 'A', email: 'a' })
      await first.close()
      const second = await open([User, Post])
      expect(await second.accessor(User).count()).toBe(1)
      await second.close()
      const third = await open([Post, User], { createTables: false })
      expect(await third.audit.count()).toBe(1)
    })

    test('by several that open at once', async () => {
      const storages = await Promise.all(Array.from({ length: 4 }, () => open([User, Post])))
      await Promise.all(storages.map((storage, index) => storage.accessor(User).insert({ name: 'A', email: `${index}` })))
      expect(await storages[0]?.accessor(User).count()).toBe(4)
    })

    test('for a model that joins later', async () => {
      await prepare(User)
      const storage = await open([User, Post])
      expect(await storage.accessor(Post).count()).toBe(0)
    })

    test('not at all when that is not wanted: what is missing is listed', async () => {
      const differences = await differencesOf([User, Post], { createTables: false })
      for (const table of ['users', 'posts', 'strongroom_audit_log']) expect(differences.join('\n')).toContain(table)
      const storage = await open([])
      expect(await rejectionOf(storage.kysely.selectFrom('users').selectAll().execute())).toBeInstanceOf(Error)
    })
  })

  describe('that does not fit', () => {
    const misfits: [string, AnyModel, AnyModel, RegExp[]][] = [
      [
        'a missing column',
        defineModel('things', { a: Type.String() }),
        defineModel('things', { a: Type.String(), b: Type.String() }),
        [/things\.b is missing/],
      ],
      [
        'another type',
        defineModel('things', { a: Type.String() }),
        defineModel('things', { a: Type.Integer() }),
        [/things\.a is text.*wants/i],
      ],
      [
        'a number that was whole',
        defineModel('things', { a: Type.Integer() }),
        defineModel('things', { a: Type.Number() }),
        [/things\.a is/],
      ],
      [
        'an instant that was a date',
        defineModel('things', { a: Type.Boolean() }),
        defineModel('things', { a: DateTime() }),
        [/things\.a is/],
      ],
      [
        'null where the model takes none',
        defineModel('things', { a: Type.Optional(Type.String()) }),
        defineModel('things', { a: Type.String() }),
        [/things\.a takes null/],
      ],
      [
        'a column that nobody fills',
        defineModel('things', { a: Type.String(), b: Type.String() }),
        defineModel('things', { a: Type.String() }),
        [/things\.b is NOT NULL and no field/],
      ],
      ['another key', defineModel('things', {}, { id: 'text' }), defineModel('things', {}), [/things\.id is/]],
      [
        'a key of another name',
        defineModel('things', {}, { id: { name: 'code' } }),
        defineModel('things', {}),
        [/primary key of things is \(code\)/, /things\.id is missing/, /things\.code is NOT NULL/],
      ],
      [
        'a missing unique',
        defineModel('things', { a: Type.String() }),
        defineModel('things', { a: Type.String() }, { unique: [['a']] }),
        [/things has no unique index on \(a\)/],
      ],
      [
        'a missing foreign key',
        defineModel('things', { other: Type.Integer() }, { indexes: [['other']] }),
        defineModel('things', { other: Ref(() => User) }, { indexes: [['other']] }),
        [/things\.other has no foreign key to users\.id/],
      ],
    ]

    test.each(misfits)('is refused: %s', async (_name, standing, wanted, lines) => {
      await prepare(standing, User)
      const differences = await differencesOf([wanted, User])
      expect(differences).toHaveLength(lines.length)
      for (const [index, line] of lines.entries()) expect(differences[index]).toMatch(line)
    })

    test('is told completely: every difference of every table', async () => {
      await prepare(
        defineModel('users', { name: Type.Integer(), extra: Type.String() }),
        defineModel('posts', { title: Type.Optional(Type.String()) }),
      )
      const differences = (await differencesOf([User, Post])).join('\n')
      for (const name of [
        'users.name',
        'users.email',
        'users.age',
        'users.created_at',
        'users.deleted_at',
        'users.extra',
        'posts.title',
        'posts.price',
        'posts.author_id',
        'posts.id',
        'unique index on (email)',
      ]) {
        expect(differences).toContain(name)
      }
    })

    test('is left as it was, with the tables that are missing not made', async () => {
      const Old = defineModel('users', { name: Type.Integer() })
      await prepare(Old)
      await differencesOf([User, Post])
      const storage = await open([Old])
      expect(await rejectionOf(storage.kysely.selectFrom('posts').selectAll().execute())).toBeInstanceOf(Error)
    })

    test('in nothing that matters is fine: further columns, indexes and tables', async () => {
      const first = await open([User])
      await first.transaction(
        async ({ kysely }) => {
          await sql`alter table users add column remark text`.execute(kysely)
          await sql`create index mine on users (remark)`.execute(kysely)
          await sql`create table mine_too (id integer)`.execute(kysely)
        },
        { unaudited: true },
      )
      await first.close()
      const second = await open([User])
      expect(await second.accessor(User).insert({ name: 'A', email: 'a' })).toMatchObject({ id: 1 })
    })

    test('by the library’s own tables, made by an older version, brings them up and keeps what is there', async () => {
      const ofRequests = indexName('strongroom_audit_log', ['request_id', 'id'])
      const first = await open([User])
      await first.accessor(User).insert({ name: 'A', email: 'a' }, { requestId: 'r-1' })
      await first.transaction(
        async (session) => {
          await session.kysely.schema.dropTable('strongroom_kept_answers').execute()
          await session.kysely.schema.dropTable('strongroom_backups').execute()
          await session.kysely.schema.dropTable('strongroom_jobs').execute()
          await session.kysely.schema.dropTable('strongroom_counters').execute()
          await session.kysely.schema.dropIndex(ofRequests).execute()
          await session.kysely.schema.createIndex(ofRequests).on('strongroom_audit_log').columns(['request_id', 'id']).execute()
          await session.kysely.updateTable('strongroom_state').set({ value: '1' }).execute()
        },
        { unaudited: true },
      )
      await first.close()
      expect((await differencesOf([User], { createTables: false })).join()).toMatch(/older version/)
      const second = await open([User])
      const again = await second.accessor(User).once({ key: 'k', scope: [], content: '' }, async () => 1)
      expect(again).toEqual({ answer: 1, replayed: false })
      expect(await second.audit.count({ component: 'users', request_id: 'r-1' })).toBe(1)
      // A whole index has what one over the entries of requests has, and to make it anew would hold up a large log's first start.
      const log = (await tablesAt(url)).find(({ name }) => name === 'strongroom_audit_log')
      const found = log?.indexes.filter(({ columns }) => columns[0] === 'request_id') ?? []
      expect(found.map(({ name, presentOnly = false }) => ({ name, presentOnly }))).toEqual([{ name: ofRequests, presentOnly: false }])
    })

    test('by the library’s own tables, made by a newer version, is refused', async () => {
      const first = await open([User])
      await first.transaction((session) => session.kysely.updateTable('strongroom_state').set({ value: '99' }).execute(), {
        unaudited: true,
      })
      await first.close()
      for (const createTables of [true, false]) expect((await differencesOf([User], { createTables })).join()).toMatch(/version 99.*newer/)
    })
  })

  describe('of accessors that cannot live together', () => {
    const refusal = async (accessors: StorageOptions['accessors']): Promise<unknown> => {
      const error = await rejectionOf(openStorage({ url, accessors }))
      expect(error).toBeInstanceOf(UsageError)
      return error
    }

    test('two on one table, or with one component, are refused', async () => {
      expect(await refusal([new ModelAccessor(User, 'a'), new ModelAccessor(User, 'b')])).toMatchObject({
        code: 'invalid_options',
        message: expect.stringContaining('users'),
      })
      const Upper = defineModel('USERS', { big: Int64() })
      expect(await refusal([new ModelAccessor(User, 'a'), new ModelAccessor(Upper, 'b')])).toMatchObject({ code: 'invalid_options' })
      expect(await refusal([new ModelAccessor(User, 'same'), new ModelAccessor(Post, 'same')])).toMatchObject({
        code: 'invalid_options',
        message: expect.stringContaining('same'),
      })
    })

    test('a reference to a model without an accessor is refused', async () => {
      expect(await refusal([new ModelAccessor(Post, 'posts')])).toMatchObject({
        code: 'invalid_options',
        message: expect.stringContaining('users'),
      })
    })

    test('an accessor lives in one open storage, and can move when that is closed', async () => {
      const users = new ModelAccessor(User, 'users')
      expect(await rejectionOf(users.all())).toMatchObject({ code: 'invalid_options' })
      const first = await openStorage({ url, accessors: [users] })
      opened.push(first)
      expect(await refusal([new ModelAccessor(Post, 'posts'), users])).toMatchObject({ code: 'invalid_options' })
      expect(await users.insert({ name: 'A', email: 'a' })).toMatchObject({ id: 1 })
      await first.close()
      expect(await rejectionOf(users.all())).toMatchObject({ code: 'invalid_options' })
      const second = await openStorage({ url, accessors: [users] })
      opened.push(second)
      expect(await users.count()).toBe(1)
      expect(second.accessor(User)).toBe(users)
      expect(() => second.accessor(Post)).toThrow(UsageError)
    })

    test.each([
      ['no url', { url: '' }],
      ['a url of no engine', { url: 'mysql://localhost/x' }],
      ['an option that there is not', { createTable: true }],
      ['a limit that is none', { maxRecordsPerModel: 0 }],
      ['a time limit that is none', { transactionTimeLimit: -1 }],
      ['accessors that are none', { accessors: [User] }],
    ])('%s is refused', async (_name, options) => {
      expect(await rejectionOf(openStorage({ url, accessors: [], ...options } as never))).toMatchObject({ code: 'invalid_options' })
    })
  })
})
