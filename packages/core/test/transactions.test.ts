import { type AuditEntry, defineModel, ModelAccessor, type Storage, TransactionTimeoutError, UsageError } from '@strongroom/core'
import { describeEngines, needs } from '@strongroom/testkit'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { beforeEach, describe, expect, test } from 'vitest'
import { gate, rejectionOf, storagesOn } from './support.ts'

const Item = defineModel('items', { name: Type.String(), count: Type.Optional(Type.Integer()) }, { unique: [['name']] })

describeEngines('transactions', (engine) => {
  const open = storagesOn(engine)
  let items: ModelAccessor<typeof Item>
  let storage: Storage

  beforeEach(async () => {
    items = new ModelAccessor(Item, 'items')
    storage = await open([items])
    await storage.transaction(
      (session) =>
        session.kysely.schema
          .createTable('notes')
          .addColumn('text', 'text', (column) => column.unique())
          .execute(),
      { unaudited: true },
    )
  })

  const names = async (): Promise<string[]> => (await items.all()).map((row) => row.name)
  const logged = async (): Promise<unknown[]> =>
    (await storage.audit.find({ component: 'items' })).map((entry: AuditEntry) => entry.after?.['name'] ?? entry.before?.['name']).reverse()
  const failing = new Error('no')

  describe('a unit', () => {
    test('is committed as a whole, and answers what its callback answers', async () => {
      const answer = await storage.transaction(async () => {
        await items.insert({ name: 'a' })
        await items.insert({ name: 'b' })
        return 7
      })
      expect([answer, await names(), await logged()]).toEqual([7, ['a', 'b'], ['a', 'b']])
    })

    test('is undone as a whole by a throw, which reaches the caller as it is', async () => {
      const error = await rejectionOf(
        storage.transaction(async (session) => {
          await items.insert({ name: 'a' })
          await session.kysely.insertInto('notes').values({ text: 'x' }).execute()
          throw failing
        }),
      )
      expect(error).toBe(failing)
      expect([await names(), await logged(), await storage.kysely.selectFrom('notes').selectAll().execute()]).toEqual([[], [], []])
    })

    test('may be synchronous, and may be empty', async () => {
      expect(await storage.transaction(() => 5)).toBe(5)
      expect(
        await rejectionOf(
          storage.transaction(() => {
            throw failing
          }),
        ),
      ).toBe(failing)
    })

    test('sees its own writes; the world sees them after the commit', async () => {
      const [written, looked] = [gate(), gate()]
      const unit = storage.transaction(async (session) => {
        const { id } = await items.insert({ name: 'a' })
        expect(await items.get(id)).toMatchObject({ name: 'a' })
        expect([await items.count(), await items.exists({ name: 'a' }), (await items.find()).length]).toEqual([1, true, 1])
        for await (const row of items.stream()) expect(row.name).toBe('a')
        expect(await storage.audit.count({ component: 'items' })).toBe(1)
        expect(await session.kysely.selectFrom('items').select('name').execute()).toEqual([{ name: 'a' }])
        written.open()
        await looked.opened
      })
      await written.opened
      expect([await names(), await logged(), await storage.kysely.selectFrom('items').selectAll().execute()]).toEqual([[], [], []])
      looked.open()
      await unit
      expect([await names(), await logged()]).toEqual([['a'], ['a']])
    })

    test('is joined by what is called inside, however deep', async () => {
      const save = async (name: string): Promise<void> => {
        await new Promise((resolve) => setImmediate(resolve))
        await items.insert({ name })
      }
      await rejectionOf(
        storage.transaction(async () => {
          await Promise.all([save('a'), save('b')])
          throw failing
        }),
      )
      await save('c')
      expect([await names(), await logged()]).toEqual([['c'], ['c']])
    })

    test('runs Promise.all inside one after the other: one that fails takes nobody along', async () => {
      items.beforeInsert(async ({ record }) => {
        await items.count()
        if (record.name.startsWith('bad')) throw failing
      })
      const outcomes = await storage.transaction(() =>
        Promise.allSettled(['a', 'bad1', 'b', 'bad2', 'a', 'c'].map((name) => items.insert({ name }))),
      )
      expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'rejected', 'fulfilled'])
      expect([await names(), await logged()]).toEqual([
        ['a', 'b', 'c'],
        ['a', 'b', 'c'],
      ])
    })

    test('reads beside a write that fails are answered, and do not see what it undid', async () => {
      await items.insert({ name: 'a' })
      const answers = await storage.transaction((session) =>
        Promise.all([
          rejectionOf(items.insertMany([{ name: 'undone' }, { name: 'a' }])),
          items.count(),
          items.find({ fields: ['name'] }),
          storage.audit.count({ component: 'items' }),
          session.kysely.selectFrom('items').select('name').execute(),
        ]),
      )
      expect(answers).toMatchObject([{ code: 'unique_conflict' }, 1, [{ name: 'a' }], 1, [{ name: 'a' }]])
    })

    test('reads through the outer session inside a part', async () => {
      const rows = await storage.transaction((outer) =>
        storage.transaction(async () => {
          await items.insert({ name: 'a' })
          return outer.kysely.selectFrom('items').select('name').execute()
        }),
      )
      expect(rows).toEqual([{ name: 'a' }])
    })

    test('keeps what was not awaited inside, when it was started in time', async () => {
      await storage.transaction(async () => {
        void items.insert({ name: 'a' })
        void items.insert({ name: 'b' })
      })
      expect([await names(), await logged()]).toEqual([
        ['a', 'b'],
        ['a', 'b'],
      ])
    })

    test('stays usable after an error that was caught: of an accessor, of Kysely, of a read', async () => {
      await storage.transaction(async (session) => {
        await items.insert({ name: 'a' })
        expect(await rejectionOf(items.insert({ name: 'a' }))).toMatchObject({ code: 'unique_conflict' })
        expect(await rejectionOf(items.insert({ name: 7 as never }))).toMatchObject({ code: 'validation_failed' })
        expect(await rejectionOf(items.find({ where: { nme: 1 } as never }))).toMatchObject({ code: 'invalid_query' })
        await session.kysely.insertInto('notes').values({ text: 'x' }).execute()
        await rejectionOf(
          session.kysely
            .insertInto('notes')
            .values([{ text: 'y' }, { text: 'x' }])
            .execute(),
        )
        await rejectionOf(session.kysely.selectFrom('nowhere').selectAll().execute())
        await rejectionOf(sql`select nonsense from items`.execute(session.kysely))
        await rejectionOf(session.kysely.insertInto('items').values({ name: 'z' }).execute())
        await items.insert({ name: 'b' })
      })
      expect([await names(), await logged()]).toEqual([
        ['a', 'b'],
        ['a', 'b'],
      ])
      expect(await storage.kysely.selectFrom('notes').selectAll().execute()).toEqual([{ text: 'x' }])
    })
  })

  describe('nested', () => {
    test('a part is undone and the rest kept', async () => {
      await storage.transaction(async () => {
        await items.insert({ name: 'outer' })
        const error = await rejectionOf(
          storage.transaction(async () => {
            await items.insert({ name: 'inner' })
            await storage.transaction(() => items.insert({ name: 'innermost' }))
            throw failing
          }),
        )
        expect(error).toBe(failing)
        expect(await names()).toEqual(['outer'])
        await storage.transaction(() => items.insert({ name: 'second' }))
      })
      expect([await names(), await logged()]).toEqual([
        ['outer', 'second'],
        ['outer', 'second'],
      ])
    })

    test('a kept part goes with the whole', async () => {
      await rejectionOf(
        storage.transaction(async () => {
          await storage.transaction(() => items.insert({ name: 'inner' }))
          throw failing
        }),
      )
      expect([await names(), await logged()]).toEqual([[], []])
    })

    test('parts at once take turns', async () => {
      await storage.transaction(() =>
        Promise.allSettled(
          Array.from({ length: 9 }, (_, index) =>
            storage.transaction(async () => {
              await items.insert({ name: `n${index}` })
              await items.count()
              if (index % 3 === 0) throw failing
              await items.update((await items.findOne({ where: { name: `n${index}` } }))?.id ?? 0, { count: index })
            }),
          ),
        ),
      )
      const rows = await items.all()
      expect(rows.map((row) => [row.name, row.count])).toEqual([1, 2, 4, 5, 7, 8].map((index) => [`n${index}`, index]))
      expect(await storage.audit.count({ component: 'items' })).toBe(12)
    })

    test('statements of session.kysely take their turn too: a part that is undone takes none of them along', async () => {
      await storage.transaction(async (session) => {
        const part = storage.transaction(async () => {
          await items.insert({ name: 'undone' })
          await items.count()
          throw failing
        })
        const note = session.kysely.insertInto('notes').values({ text: 'kept' }).execute()
        await Promise.allSettled([part, note])
      })
      expect([await names(), await storage.kysely.selectFrom('notes').selectAll().execute()]).toEqual([[], [{ text: 'kept' }]])
    })

    test('the outer session can be used inside a part, and shares its fate', async () => {
      await storage.transaction(async (outer) => {
        await rejectionOf(
          storage.transaction(async () => {
            await outer.kysely.insertInto('notes').values({ text: 'undone' }).execute()
            throw failing
          }),
        )
        await storage.transaction(() => outer.kysely.insertInto('notes').values({ text: 'kept' }).execute())
      })
      expect(await storage.kysely.selectFrom('notes').selectAll().execute()).toEqual([{ text: 'kept' }])
    })

    test('a dry run inside leaves nothing, the rest is kept', async () => {
      await storage.transaction(async () => {
        await items.insert({ name: 'a' })
        expect(await items.insert({ name: 'b' }, { dryRun: true })).toMatchObject({ name: 'b' })
        expect(await storage.transaction(() => items.insert({ name: 'c' }), { dryRun: true })).toMatchObject({ name: 'c' })
      })
      expect([await names(), await logged()]).toEqual([['a'], ['a']])
    })
  })

  describe('two at once', () => {
    test('never mix: each commits or undoes its own', async () => {
      const first = gate()
      const good = storage.transaction(async () => {
        await items.insert({ name: 'good 1' })
        first.open()
        await new Promise((resolve) => setImmediate(resolve))
        await items.insert({ name: 'good 2' })
      })
      const bad = first.opened.then(() =>
        storage.transaction(async () => {
          await items.insert({ name: 'bad' })
          throw failing
        }),
      )
      const single = first.opened.then(() => items.insert({ name: 'single' }))
      await Promise.allSettled([good, bad, single])
      expect((await names()).toSorted()).toEqual(['good 1', 'good 2', 'single'])
      const ofGood = await storage.audit.find({
        transaction_id: (await storage.audit.findOne({ component: 'items' }))?.transaction_id ?? '',
      })
      expect(new Set(ofGood.map((entry: AuditEntry) => entry.transaction_id)).size).toBe(1)
    })

    test('many that count the same record up lose no step', async () => {
      const { id } = await items.insert({ name: 'counter', count: 0 })
      await Promise.all(Array.from({ length: 20 }, () => items.update(id, (row) => ({ count: (row.count ?? 0) + 1 }))))
      expect(await items.get(id)).toMatchObject({ count: 20 })
      const entries = (await storage.audit.find({ operation: 'update' })).reverse()
      expect(entries.map((entry: AuditEntry) => [entry.before?.['count'], entry.after?.['count']])).toEqual(
        Array.from({ length: 20 }, (_, index) => [index, index + 1]),
      )
    })

    needs(engine, 'overlappingUnits', () => {
      test('a deadlock is nobody’s failure: the loser runs again', async () => {
        const [a, b] = await items.insertMany([
          { name: 'a', count: 0 },
          { name: 'b', count: 0 },
        ])
        const step = async (from: number, to: number, ready: () => void, other: Promise<void>): Promise<void> => {
          await storage.transaction(async () => {
            await items.update(from, (row) => ({ count: (row.count ?? 0) + 1 }))
            ready()
            await other
            await items.update(to, (row) => ({ count: (row.count ?? 0) + 1 }))
          })
        }
        const [first, second] = [gate(), gate()]
        await Promise.all([
          step(a?.id ?? 0, b?.id ?? 0, first.open, second.opened),
          step(b?.id ?? 0, a?.id ?? 0, second.open, first.opened),
        ])
        expect((await items.all()).map((row) => row.count)).toEqual([2, 2])
        expect(await storage.audit.count({ operation: 'update' })).toBe(4)
      })
    })
  })

  describe('misuse', () => {
    test('the outer handle inside a transaction or hook is refused at once', async () => {
      items.afterInsert(() => storage.kysely.selectFrom('items').selectAll().execute())
      for (const work of [
        () => storage.transaction(() => storage.kysely.selectFrom('items').selectAll().execute()),
        () => storage.transaction(() => storage.kysely.insertInto('notes').values({ text: 'x' }).execute()),
        () => items.insert({ name: 'a' }),
      ]) {
        const error = await rejectionOf(work())
        expect(error).toBeInstanceOf(UsageError)
        expect(error).toMatchObject({ code: 'outer_handle' })
      }
      expect(await names()).toEqual([])
    })

    test('closing the storage inside a transaction or hook is refused at once, and afterwards closes it', async () => {
      items.afterInsert(() => storage.close())
      expect(await rejectionOf(storage.transaction(() => storage.close()))).toMatchObject({ code: 'outer_handle' })
      expect(await rejectionOf(items.insert({ name: 'a' }))).toMatchObject({ code: 'outer_handle' })
      expect(await names()).toEqual([])
      await storage.close()
    })

    test('a session that has ended throws, and writes nothing', async () => {
      let leaked: { kysely: Storage['kysely'] } | undefined
      let late: Promise<unknown> | undefined
      const { opened, open: goOn } = gate()
      await storage.transaction(async (session) => {
        leaked = session
        late = opened.then(() => items.insert({ name: 'late' }))
        late.catch(() => {})
      })
      expect(await rejectionOf(Promise.resolve().then(() => leaked?.kysely.selectFrom('items').selectAll().execute()))).toMatchObject({
        code: 'session_finished',
      })
      expect(
        await rejectionOf(Promise.resolve().then(() => leaked?.kysely.insertInto('notes').values({ text: 'x' }).execute())),
      ).toMatchObject({ code: 'session_finished' })
      goOn()
      expect(await rejectionOf(late ?? Promise.resolve())).toMatchObject({ code: 'session_finished' })
      expect(await names()).toEqual([])
    })
  })

  describe('the time limit', () => {
    test('rolls back with an error of its own, and the storage goes on', async () => {
      const own = new ModelAccessor(Item, 'items')
      const short = await open([own], { transactionTimeLimit: 50 })
      const forever = gate()
      const error = await rejectionOf(
        short.transaction(async () => {
          await own.insert({ name: 'a' })
          await forever.opened
        }),
      )
      expect(error).toBeInstanceOf(TransactionTimeoutError)
      expect(error).toMatchObject({ code: 'transaction_timeout', status: 503 })
      expect([await own.count(), await short.audit.count()]).toEqual([0, 0])
      expect(await own.insert({ name: 'b' })).toMatchObject({ name: 'b' })
      forever.open()
    })

    test('holds for a hook that never ends', async () => {
      const own = new ModelAccessor(Item, 'items')
      const short = await open([own], { transactionTimeLimit: 50 })
      const forever = gate()
      own.beforeInsert(({ record }) => (record.name === 'slow' ? forever.opened : undefined))
      const outcomes = await Promise.allSettled([own.insert({ name: 'slow' }), own.insert({ name: 'quick' })])
      expect(outcomes[0]).toMatchObject({ status: 'rejected', reason: { code: 'transaction_timeout' } })
      expect(outcomes[1]).toMatchObject({ status: 'fulfilled' })
      forever.open()
      expect((await own.all()).map((row) => row.name)).toEqual(['quick'])
      expect(await short.audit.count()).toBe(1)
    })
  })

  describe('the context', () => {
    test('goes from the transaction to every entry inside, and a write may say otherwise', async () => {
      await storage.transaction(
        async (session) => {
          expect(session.context).toMatchObject({ actor: 'ann', requestId: 'r1' })
          await items.insert({ name: 'a' })
          await items.insert({ name: 'b' }, { actor: 'bob' })
          await storage.transaction(() => items.insert({ name: 'c' }), { requestId: 'r2' })
        },
        { actor: 'ann', requestId: 'r1' },
      )
      await items.insert({ name: 'd' })
      const entries = (await storage.audit.find({ component: 'items' })).reverse()
      expect(entries.map((entry: AuditEntry) => [entry.actor, entry.request_id])).toEqual([
        ['ann', 'r1'],
        ['bob', 'r1'],
        ['ann', 'r2'],
        ['internal', null],
      ])
      const [a, b, c, d] = entries.map((entry: AuditEntry) => entry.transaction_id)
      expect([b, c]).toEqual([a, a])
      expect(d).not.toBe(a)
    })
  })
})
