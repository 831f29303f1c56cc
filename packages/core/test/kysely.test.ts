import { defineModel, ModelAccessor, type Storage, UsageError } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { type Kysely, sql } from 'kysely'
import { Type } from 'typebox'
import { beforeEach, describe, expect, test } from 'vitest'
import { rejectionOf, storagesOn } from './support.ts'

// tables of this test are known by name only
// biome-ignore lint/suspicious/noExplicitAny: as above
type Handle = Kysely<any>

const Item = defineModel('items', { name: Type.String() })

describeEngines('Kysely handles', (engine) => {
  const open = storagesOn(engine)
  let items: ModelAccessor<typeof Item>
  let storage: Storage

  beforeEach(async () => {
    items = new ModelAccessor(Item, 'items')
    storage = await open([items])
    await items.insert({ name: 'kept' })
    const kysely = storage.kysely as Handle
    await kysely.schema.createTable('notes').addColumn('id', 'integer').addColumn('text', 'text').execute()
    await kysely.insertInto('notes').values({ id: 1, text: 'one' }).execute()
  })

  /** The same by the handle outside, by the session's, and by a hook's. */
  const handles: Record<string, <T>(work: (kysely: Handle) => Promise<T>) => Promise<T>> = {
    'storage.kysely': (work) => work(storage.kysely as Handle),
    'session.kysely': (work) => storage.transaction((session) => work(session.kysely as Handle)),
  }
  const schemaName = async (): Promise<string> =>
    engine.name === 'sqlite'
      ? 'main'
      : String((await sql<{ name: string }>`select current_schema() as name`.execute(storage.kysely)).rows[0]?.name)

  describe.each(Object.entries(handles))('%s', (_name, by) => {
    test('selects: joins, CTEs, raw text, functions', async () => {
      expect(await by((kysely) => kysely.selectFrom('items').select('name').execute())).toEqual([{ name: 'kept' }])
      expect(
        await by((kysely) => kysely.selectFrom('items').innerJoin('notes', 'notes.id', 'items.id').select(['name', 'text']).execute()),
      ).toEqual([{ name: 'kept', text: 'one' }])
      expect(
        await by((kysely) =>
          kysely
            .with('c', (db) => db.selectFrom('items').select('name'))
            .selectFrom('c')
            .selectAll()
            .execute(),
        ),
      ).toEqual([{ name: 'kept' }])
      expect(await by(async (kysely) => (await sql`select name from items where name = ${'kept'}`.execute(kysely)).rows)).toEqual([
        { name: 'kept' },
      ])
      expect(await by(async (kysely) => (await sql`with c as (select 1 as one) select one from c`.execute(kysely)).rows)).toEqual([
        { one: 1 },
      ])
      expect(
        await by((kysely) =>
          kysely
            .selectFrom('strongroom_audit_log')
            .select((eb) => eb.fn.countAll<number>().as('count'))
            .execute(),
        ),
      ).toHaveLength(1)
    })

    test('writes to tables of one’s own', async () => {
      await by(async (kysely) => {
        const inserted = await kysely.insertInto('notes').values({ id: 2, text: 'two' }).returning('id').execute()
        expect(inserted).toEqual([{ id: 2 }])
        const updated = await kysely.updateTable('notes').set({ text: 'zwei' }).where('id', '=', 2).executeTakeFirst()
        expect(updated.numUpdatedRows).toBe(1n)
        const deleted = await kysely.deleteFrom('notes').where('id', '=', 1).executeTakeFirst()
        expect(deleted.numDeletedRows).toBe(1n)
        await kysely
          .insertInto('notes')
          .columns(['id', 'text'])
          .expression((eb) => eb.selectFrom('items').select(['id', 'name']))
          .execute()
        await kysely.schema.createTable('others').addColumn('id', 'integer').execute()
        await kysely.schema.alterTable('others').addColumn('more', 'text').execute()
        await kysely.schema.createIndex('others_id').on('others').column('id').execute()
        await kysely.schema.dropTable('others').execute()
      })
      expect(await (storage.kysely as Handle).selectFrom('notes').selectAll().orderBy('id').execute()).toEqual([
        { id: 1, text: 'kept' },
        { id: 2, text: 'zwei' },
      ])
    })

    test('what a table refuses is told as accessors tell it', async () => {
      const error = async (write: (kysely: Handle) => Promise<unknown>): Promise<unknown> => rejectionOf(by(write))
      await by(async (kysely) => {
        await kysely.schema
          .createTable('strict')
          .addColumn('id', 'integer', (column) => column.primaryKey())
          .addColumn('code', 'text', (column) => column.notNull().unique())
          .addColumn('item', 'bigint', (column) => column.references('items.id'))
          .execute()
        await kysely.insertInto('strict').values({ id: 1, code: 'a' }).execute()
      })
      const insert = (row: object) => error((kysely) => kysely.insertInto('strict').values(row).execute())
      expect(await insert({ id: 2, code: 'a' })).toMatchObject({ code: 'unique_conflict', fields: ['code'] })
      expect(await insert({ id: 3, code: 'c', item: 99 })).toMatchObject({ code: 'reference_conflict' })
      expect(await insert({ id: 4, code: null })).toMatchObject({ code: 'validation_failed', issues: [{ path: 'code' }] })
    })

    const writes: Record<string, (kysely: Handle, schema: string) => Promise<unknown>> = {
      insert: (kysely) => kysely.insertInto('items').values({ name: 'x', row_version: 'x' }).execute(),
      'insert … returning': (kysely) => kysely.insertInto('items').values({ name: 'x', row_version: 'x' }).returningAll().execute(),
      update: (kysely) => kysely.updateTable('items').set({ name: 'x' }).execute(),
      delete: (kysely) => kysely.deleteFrom('items').execute(),
      'a name in other case': (kysely) => kysely.deleteFrom('ITEMS').execute(),
      'an alias': (kysely) => kysely.updateTable('items as i').set({ name: 'x' }).execute(),
      'a schema-qualified name': (kysely, schema) => kysely.deleteFrom(`${schema}.items`).execute(),
      withSchema: (kysely, schema) => kysely.withSchema(schema).deleteFrom('items').execute(),
      'a write in a CTE of a select': (kysely) =>
        kysely
          .with('c', (db) => db.deleteFrom('items').returningAll())
          .selectFrom('c')
          .selectAll()
          .execute(),
      'a write in a CTE of a write of one’s own': (kysely) =>
        kysely
          .with('c', (db) => db.deleteFrom('items').returningAll())
          .insertInto('notes')
          .values({ id: 9, text: 'x' })
          .execute(),
      'the audit log': (kysely) => kysely.deleteFrom('strongroom_audit_log').execute(),
      'the library’s state': (kysely) => kysely.updateTable('strongroom_state').set({ value: '9' }).execute(),
      'drop table': (kysely) => kysely.schema.dropTable('items').execute(),
      'alter table': (kysely) => kysely.schema.alterTable('items').addColumn('more', 'text').execute(),
      'rename to': (kysely) => kysely.schema.alterTable('notes').renameTo('items').execute(),
      'drop index': (kysely) => kysely.schema.dropIndex('strongroom_audit_log__request_id__id__idx').execute(),
      'create index': (kysely) => kysely.schema.createIndex('mine').on('items').column('name').execute(),
      'raw insert': (kysely) => sql`insert into items (name, row_version) values ('x', 'x')`.execute(kysely),
      'raw update': (kysely) => sql`update items set name = 'x'`.execute(kysely),
      'raw delete behind a comment': (kysely) => sql`/* harmless */ -- really\n delete from items`.execute(kysely),
      'raw delete in a CTE': (kysely) => sql`with c as (select 1) delete from items`.execute(kysely),
      'raw write to a table of one’s own': (kysely) => sql`delete from notes`.execute(kysely),
      'raw drop': (kysely) => sql`drop table items`.execute(kysely),
      'several statements': (kysely) => sql`select 1; delete from items`.execute(kysely),
      begin: (kysely) => sql`begin`.execute(kysely),
      commit: (kysely) => sql`commit`.execute(kysely),
      rollback: (kysely) => sql`/**/ ROLLBACK`.execute(kysely),
      savepoint: (kysely) => sql`savepoint mine`.execute(kysely),
      release: (kysely) => sql`release nested_1`.execute(kysely),
      'end after a semicolon': (kysely) => sql`; end`.execute(kysely),
      'a setting': (kysely) =>
        (engine.name === 'sqlite' ? sql`pragma foreign_keys = off` : sql`set session_replication_role = replica`).execute(kysely),
      vacuum: (kysely) => sql`vacuum`.execute(kysely),
      'explain that runs': (kysely) =>
        (engine.name === 'sqlite' ? sql`attach ':memory:' as other` : sql`explain analyze delete from items`).execute(kysely),
    }

    test.each(Object.entries(writes))('refuses %s', async (_what, write) => {
      const schema = await schemaName()
      const before = [await items.all(), await storage.audit.count()]
      const error = await rejectionOf(by((kysely) => write(kysely, schema)))
      expect(error).toBeInstanceOf(Error)
      if (error instanceof UsageError) expect(error.code).toBe('unaudited_write')
      expect([await items.all(), await storage.audit.count()]).toEqual(before)
      expect(await (storage.kysely as Handle).selectFrom('notes').selectAll().execute()).toEqual([{ id: 1, text: 'one' }])
    })

    test('refuses writes with a reason, not by accident', async () => {
      for (const name of [
        'insert',
        'update',
        'delete',
        'a name in other case',
        'an alias',
        'the audit log',
        'drop table',
        'alter table',
        'drop index',
        'raw insert',
        'raw drop',
        'begin',
        'commit',
        'rollback',
      ] as const) {
        expect(await rejectionOf(by((kysely) => writes[name]?.(kysely, 'main') ?? Promise.resolve())), name).toMatchObject({
          code: 'unaudited_write',
        })
      }
    })

    test('starts no transaction of its own, streams nothing and is closed by nobody', async () => {
      expect(await rejectionOf(by((kysely) => kysely.transaction().execute(async () => {})))).toMatchObject({ code: 'outer_handle' })
      expect(await rejectionOf(by((kysely) => kysely.startTransaction().execute()))).toMatchObject({ code: 'outer_handle' })
      await by((kysely) => kysely.destroy()).catch(() => {})
      expect(await by((kysely) => kysely.selectFrom('items').selectAll().execute())).toHaveLength(1)
      expect(await rejectionOf(by(async (kysely) => kysely.selectFrom('items').selectAll().stream().next()))).toMatchObject({
        code: 'outer_handle',
      })
      expect(await items.count()).toBe(1)
    })
  })

  describe('unaudited: true', () => {
    test('lets writes through, and an entry says so', async () => {
      await storage.transaction(
        async (session) => {
          const kysely = session.kysely as Handle
          await kysely.updateTable('items').set({ name: 'changed' }).execute()
          await sql`insert into items (name, row_version) values ('raw', 'x')`.execute(kysely)
          await items.insert({ name: 'audited' })
        },
        { unaudited: true, actor: 'ann' },
      )
      expect((await items.all()).map((row) => row.name)).toEqual(['changed', 'raw', 'audited'])
      const entries = (await storage.audit.find()).reverse()
      expect(entries.slice(1)).toMatchObject([
        { operation: 'unaudited', actor: 'ann', record_id: null, before: null, after: null },
        { operation: 'create', component: 'items' },
      ])
      expect(entries[1]?.transaction_id).toBe(entries[2]?.transaction_id)
    })

    test('in a nested part does not reach around it', async () => {
      await storage.transaction(async (outer) => {
        await storage.transaction((inner) => (inner.kysely as Handle).updateTable('items').set({ name: 'changed' }).execute(), {
          unaudited: true,
        })
        expect(await rejectionOf((outer.kysely as Handle).updateTable('items').set({ name: 'x' }).execute())).toMatchObject({
          code: 'unaudited_write',
        })
      })
      expect(await items.all()).toMatchObject([{ name: 'changed' }])
      expect(await storage.audit.count({ operation: 'unaudited' })).toBe(1)
    })

    test('leaves no entry and no change when it is undone', async () => {
      await rejectionOf(
        storage.transaction(
          async (session) => {
            await (session.kysely as Handle).deleteFrom('items').execute()
            throw new Error('no')
          },
          { unaudited: true },
        ),
      )
      expect([await items.count(), await storage.audit.count()]).toEqual([1, 1])
    })

    test('does not let anybody end the transaction', async () => {
      for (const text of ['commit', 'rollback', 'begin']) {
        await rejectionOf(storage.transaction((session) => sql.raw(text).execute(session.kysely), { unaudited: true }))
      }
      expect(await storage.audit.count()).toBe(1)
    })
  })
})
