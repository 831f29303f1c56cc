import { defineModel, ModelAccessor, type Storage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { rejectionOf, storagesOn } from './support.ts'

const Thing = defineModel('things', { name: Type.String() })
const Doc = defineModel('docs', { name: Type.String(), email: Type.Optional(Type.String()) }, { softDelete: true, stamps: true })
const Tag = defineModel('tags', { name: Type.String() }, { id: 'text' })

describeEngines('tables with triggers of the app’s own', (engine) => {
  const open = storagesOn(engine)

  async function start() {
    const [things, tags] = [new ModelAccessor(Thing, 'things'), new ModelAccessor(Tag, 'tags')]
    return { storage: await open([things, tags]), things, tags }
  }

  /** Has the database do something for each new row that is called "bad". */
  async function onBadRows(
    storage: Storage,
    table: string,
    when: 'before' | 'after',
    act: { readonly sqlite: string; readonly postgres: string },
  ) {
    const texts = {
      sqlite: [`create trigger own_${table} ${when} insert on ${table} when new.name = 'bad' begin ${act.sqlite}; end`],
      postgres: [
        `create function own_${table}() returns trigger language plpgsql as $$ begin if new.name = 'bad' then ${act.postgres}; end if; return new; end $$`,
        `create trigger own ${when} insert on ${table} for each row execute function own_${table}()`,
      ],
    }
    await storage.transaction(
      async ({ kysely }) => {
        for (const text of texts[engine.name]) await sql.raw(text).execute(kysely)
      },
      { unaudited: true },
    )
  }

  /** What stands in the tables, and what the log tells of. */
  async function stand({ storage, things, tags }: Awaited<ReturnType<typeof start>>) {
    const told = await storage.audit.find({ operation: 'create' })
    const names = [...(await things.all()), ...(await tags.all())].map(({ name }) => name)
    return { names, told: told.map(({ after }) => (after as { name?: string }).name).toReversed() }
  }

  test('refuse a write late: nothing of it stays, beside those that share its commit', async () => {
    const setting = await start()
    const { storage, things } = setting
    await onBadRows(storage, 'things', 'after', { sqlite: `select raise(fail, 'no')`, postgres: `raise exception 'no'` })
    const writes = ['a', 'bad', 'b'].map((name) => things.insert({ name }))
    const outcomes = await Promise.allSettled(writes)
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    const { names, told } = await stand(setting)
    expect(names.toSorted()).toEqual(['a', 'b'])
    expect(told.toSorted()).toEqual(['a', 'b'])
  })

  test('skip a record: nobody hears that it was stored, and the log tells of none', async () => {
    const setting = await start()
    const { storage, things, tags } = setting
    for (const table of ['things', 'tags'])
      await onBadRows(storage, table, 'before', { sqlite: 'select raise(ignore)', postgres: 'return null' })
    const writes = [
      () => things.insert({ name: 'bad' }),
      () => tags.insert({ id: 'x', name: 'bad' }),
      () => things.insertMany([{ name: 'a' }, { name: 'bad' }]),
      () =>
        tags.insertMany([
          { id: 'y', name: 'bad' },
          { id: 'z', name: 'c' },
        ]),
      () => storage.transaction(() => things.insert({ name: 'bad' })),
    ]
    for (const write of writes)
      expect(await rejectionOf(write())).toMatchObject({ code: 'internal_error', message: expect.stringContaining('triggers of your own') })
    await things.insert({ name: 'good' })
    expect(await stand(setting)).toEqual({ names: ['good'], told: ['good'] })
  })

  describe.each([
    ['with nobody else to see it', false],
    ['with hooks around it', true],
  ])('skip a change, %s', (_name, hooked) => {
    /** A table whose records called "bad" stay as they are, and one that is left alone. */
    async function guarded() {
      const docs = new ModelAccessor(Doc, 'docs')
      const tags = new ModelAccessor(Tag, 'tags')
      if (hooked) docs.beforeUpdate(() => undefined).beforeDelete(() => undefined)
      const storage = await open([docs, tags])
      const [good, bad, gone] = await docs.insertMany([{ name: 'good' }, { name: 'bad' }, { name: 'bad', email: 'gone' }])
      if (!good || !bad || !gone) throw new Error('three were inserted')
      await docs.delete(gone.id)
      await skipChanges(storage, 'docs')
      return { storage, docs, tags, good, bad, gone }
    }

    async function skipChanges(storage: Storage, table: string) {
      const texts = {
        sqlite: ['update', 'delete'].map(
          (verb) => `create trigger own_${verb} before ${verb} on ${table} when old.name = 'bad' begin select raise(ignore); end`,
        ),
        postgres: [
          `create function own() returns trigger language plpgsql as $$ begin if old.name = 'bad' then return null; end if;
            if tg_op = 'DELETE' then return old; end if; return new; end $$`,
          `create trigger own before update or delete on ${table} for each row execute function own()`,
        ],
      }
      await storage.transaction(
        async ({ kysely }) => {
          for (const text of texts[engine.name]) await sql.raw(text).execute(kysely)
        },
        { unaudited: true },
      )
    }

    test('nobody hears that it was made, and the log tells of none', async () => {
      const { storage, docs, tags, good, bad, gone } = await guarded()
      const before = await docs.find({ includeDeleted: true })
      const writes: (() => Promise<unknown>)[] = [
        () => docs.update(bad.id, { email: 'a' }),
        () => docs.save({ id: bad.id, name: 'bad', email: 'a' }),
        () => docs.replace(bad.id, { name: 'other' }),
        () => docs.updateMany({}, { email: 'a' }),
        () => docs.delete(bad.id),
        () => docs.deleteMany([good.id, bad.id]),
        () => docs.purge(bad.id),
        () => docs.purgeMany({}),
        () => docs.restore(gone.id),
        () =>
          storage.transaction(async () => {
            await tags.insert({ id: 'x', name: 'x' })
            await docs.update(bad.id, { email: 'a' })
          }),
      ]
      for (const write of writes)
        expect(await rejectionOf(write()), String(write)).toMatchObject({
          code: 'internal_error',
          message: expect.stringContaining('triggers of your own'),
        })
      expect(await docs.find({ includeDeleted: true })).toEqual(before)
      expect(await tags.count()).toBe(0)
      expect((await storage.audit.find({ component: 'docs' })).map(({ operation }) => operation)).toEqual([
        'soft_delete',
        'create',
        'create',
        'create',
      ])
      await docs.update(good.id, { email: 'a' })
      await docs.purge(good.id)
      expect(await docs.count()).toBe(1)
      expect(await storage.audit.verify()).toMatchObject({ ok: true })
    })

    test('what a hook wrote before goes with it', async () => {
      const { storage, docs, tags, bad } = await guarded()
      docs.beforeUpdate(async () => void (await tags.insert({ id: 'x', name: 'x' })))
      docs.beforeDelete(async () => void (await tags.insert({ id: 'x', name: 'x' })))
      for (const write of [() => docs.update(bad.id, { email: 'a' }), () => docs.delete(bad.id), () => docs.purge(bad.id)])
        expect(await rejectionOf(write())).toMatchObject({ code: 'internal_error' })
      expect(await tags.count()).toBe(0)
      expect(await storage.audit.count({ component: 'tags' })).toBe(0)
    })
  })

  test('remove a record that goes anyway: the delete is done', async () => {
    const setting = await start()
    const { storage, things } = setting
    const [first, second] = await things.insertMany([{ name: 'a' }, { name: 'a' }])
    const texts = {
      sqlite: ['create trigger own after delete on things begin delete from things where name = old.name; end'],
      postgres: [
        `create function own() returns trigger language plpgsql as $$ begin delete from things where name = old.name; return old; end $$`,
        'create trigger own after delete on things for each row execute function own()',
      ],
    }
    await storage.transaction(
      async ({ kysely }) => {
        for (const text of texts[engine.name]) await sql.raw(text).execute(kysely)
      },
      { unaudited: true },
    )
    expect(await things.deleteMany([first?.id ?? 0, second?.id ?? 0])).toBe(2)
    expect(await things.count()).toBe(0)
  })

  test('skip a new record: what a hook wrote before goes with it', async () => {
    const setting = await start()
    const { storage, things, tags } = setting
    await onBadRows(storage, 'things', 'before', { sqlite: 'select raise(ignore)', postgres: 'return null' })
    things.beforeInsert(async () => void (await tags.insert({ id: 'x', name: 'x' })))
    expect(await rejectionOf(things.insert({ name: 'bad' }))).toMatchObject({ code: 'internal_error' })
    expect(await stand(setting)).toEqual({ names: [], told: [] })
  })

  test('add records of their own: each of many has the id that its row has', async () => {
    const { storage, things } = await start()
    const more = `insert into things (name, row_version) values ('more', 'x')`
    await onBadRows(storage, 'things', 'before', { sqlite: more, postgres: more })
    const made = await things.insertMany(['a', 'b', 'bad', 'c', 'd', 'bad'].map((name) => ({ name })))
    for (const { id, name } of made) expect((await things.get(id))?.name).toBe(name)
    expect(await things.count({ name: 'more' })).toBe(2)
  })
})
