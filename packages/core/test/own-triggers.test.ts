import { defineModel, ModelAccessor, type Storage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { rejectionOf, storagesOn } from './support.ts'

const Thing = defineModel('things', { name: Type.String() })
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
      sqlite: [`create trigger own_${table} ${when} insert on ${table} when new.name = 'bad' begin select ${act.sqlite}; end`],
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
    await onBadRows(storage, 'things', 'after', { sqlite: `raise(fail, 'no')`, postgres: `raise exception 'no'` })
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
    for (const table of ['things', 'tags']) await onBadRows(storage, table, 'before', { sqlite: 'raise(ignore)', postgres: 'return null' })
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
})
