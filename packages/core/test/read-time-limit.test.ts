import {
  type AnyAccessor,
  defineAccess,
  defineModel,
  ModelAccessor,
  openStorage,
  QueryTimeoutError,
  Ref,
  type Storage,
  type StorageOptions,
} from '@strongroom/core'
import { describeEngines, needs } from '@strongroom/testkit'
import { Type } from 'typebox'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { rejectionOf, storagesOn } from './support.ts'

const Shelf = defineModel('shelves', { name: Type.String() })
const Text = defineModel('texts', { body: Type.String(), place: Type.Integer(), shelf_id: Ref(() => Shelf) })

/** Each is slow to look for in a long row of the letter a: one for searches that compare from the front, one for those from the back. */
const bomb = { or: [{ body: { contains: `${'a'.repeat(8_000)}b` } }, { body: { contains: `b${'a'.repeat(800)}` } }] }
const long = Array.from({ length: 100 }, (_, index) => ({ body: `${'a'.repeat(100_000)}${index}`, place: index, shelf_id: 1 }))
/** Long enough that reading them all takes many times the shortest limit. */
const short = Array.from({ length: 5_000 }, (_, index) => ({ body: 'short'.padEnd(1_500), place: 1_000 + index, shelf_id: 1 }))
const count = long.length + short.length

describeEngines('the time limit of reads', (engine) => {
  let url: string
  const open = storagesOn(engine)
  const openWith = async (options: Partial<StorageOptions>) => {
    const shelves = new ModelAccessor(Shelf, 'shelves')
    const accessor = new ModelAccessor(Text, 'texts')
    const storage = await open([shelves, accessor] as readonly AnyAccessor[], { url, ...options })
    return { storage, shelves, accessor }
  }
  let storage: Storage
  let shelves: ModelAccessor<typeof Shelf>
  let accessor: ModelAccessor<typeof Text>

  beforeAll(async () => {
    url = await engine.freshUrl()
    const [filledShelves, filledTexts] = [new ModelAccessor(Shelf, 'shelves'), new ModelAccessor(Text, 'texts')]
    const filled = await openStorage({ url, accessors: [filledShelves, filledTexts] })
    await filledShelves.insert({ name: 'long' })
    await filledTexts.insertMany([...long, ...short])
    await filled.close()
  })

  needs(engine, 'oneFile', () => {
    test('is looked at by each list but the beginning of a table, or of it from an id on, that is shown as a whole', async () => {
      const asked: string[] = []
      const access = [defineAccess(Text, { read: ['all', { place: -1 }] }), defineAccess(Shelf, { read: true })]
      const { accessor } = await openWith({ access, onStatement: ({ sql }) => asked.push(sql) })
      const all = { id: 1, roles: ['all'] }
      const looks = async (question: object): Promise<boolean> => {
        asked.length = 0
        await accessor.find({ limit: 2, ...question })
        await accessor.pageJson({ limit: 2, count: 'none', ...question })
        expect(asked).toHaveLength(2)
        return asked.every((sql) => sql.includes('strongroom_in_time'))
      }
      for (const question of [{}, { where: { id: { gt: 9 } } }, { where: { id: { lte: 99 } }, orderBy: '-id' }]) {
        expect([await looks(question), await looks({ ...question, principal: all })]).toEqual([false, false])
        expect(await looks({ ...question, principal: { id: 2 } })).toBe(true)
        expect(await looks({ ...question, orderBy: 'place' })).toBe(true)
        expect(await looks({ ...question, limit: 20_000 })).toBe(true)
      }
      for (const where of [{ id: { ne: 9 } }, { place: { gt: 9 } }, { id: { gt: 9 }, place: 9 }]) expect(await looks({ where })).toBe(true)
    })
  })

  describe('100 ms', () => {
    beforeEach(async () => {
      ;({ storage, shelves, accessor } = await openWith({ readTimeLimit: 100 }))
    })

    const reads: Record<string, () => Promise<unknown>> = {
      find: () => accessor.find({ where: bomb }),
      'find with case folded': () => accessor.find({ where: { or: [...bomb.or, { body: { icontains: 'É' } }] } }),
      findOne: () => accessor.findOne({ where: bomb }),
      'find in an order that no index has': () => accessor.find({ where: bomb, orderBy: '-place', limit: 5 }),
      'find at an offset': () => accessor.find({ where: { not: bomb }, offset: 99 }),
      page: () => accessor.page({ where: bomb, orderBy: 'place', limit: 5 }),
      'the total of an empty page': () => accessor.page({ where: bomb, limit: 0 }),
      count: () => accessor.count(bomb),
      exists: () => accessor.exists(bomb),
      aggregate: () => accessor.aggregate({ groupBy: ['shelf_id'], measures: ['count', 'sum:place'], where: bomb }),
    }
    for (const [what, read] of Object.entries(reads)) {
      test(`stops ${what}, and the storage goes on`, async () => {
        const error = await rejectionOf(read())
        expect(error).toBeInstanceOf(QueryTimeoutError)
        expect(error).toMatchObject({ code: 'query_timeout', status: 400 })
        expect(await accessor.findOne({ where: { place: 7 } })).toMatchObject({ place: 7 })
      })
    }

    test('holds for each read by itself', async () => {
      const outcomes = await Promise.allSettled([
        accessor.count(bomb),
        shelves.find(),
        accessor.count(bomb),
        accessor.count({ place: { lt: 10 } }),
      ])
      expect(outcomes).toMatchObject([
        { status: 'rejected', reason: { code: 'query_timeout' } },
        { status: 'fulfilled' },
        { status: 'rejected', reason: { code: 'query_timeout' } },
        { status: 'fulfilled', value: 10 },
      ])
    })

    test('holds in a transaction, which is rolled back when the error passes', async () => {
      const work = storage.transaction(async () => {
        await shelves.insert({ name: 'never' })
        await accessor.count(bomb)
      })
      expect(await rejectionOf(work)).toMatchObject({ code: 'query_timeout' })
      expect(await shelves.exists({ name: 'never' })).toBe(false)
    })

    test('ends a nested transaction alone, when the one around it catches the error', async () => {
      await storage.transaction(async () => {
        await shelves.insert({ name: 'before' })
        const nested = storage.transaction(async () => {
          await shelves.insert({ name: 'inside' })
          await accessor.count(bomb)
        })
        expect(await rejectionOf(nested)).toMatchObject({ code: 'query_timeout' })
        await shelves.insert({ name: 'after' })
      })
      expect((await shelves.find()).map((shelf) => shelf.name)).toEqual(['long', 'before', 'after'])
    })
  })

  describe('1 ms', () => {
    beforeEach(async () => {
      ;({ storage, shelves, accessor } = await openWith({ readTimeLimit: 1 }))
    })

    test('counts what is read along', async () => {
      expect(await rejectionOf(shelves.get(1, { include: { texts: true } }))).toMatchObject({ code: 'query_timeout' })
    })

    test('holds where nothing is filtered', async () => {
      expect(await rejectionOf(accessor.all())).toMatchObject({ code: 'query_timeout' })
    })

    test('leaves streams their time, in a transaction too', async () => {
      const streamed = async (): Promise<number> => {
        let rows = 0
        for await (const _row of accessor.stream()) rows++
        return rows
      }
      expect(await streamed()).toBe(count)
      expect(await storage.transaction(streamed)).toBe(count)
    })

    test('leaves the reads of writes, and questions in Kysely, their time', async () => {
      expect(await accessor.updateMany({ place: { gte: 0 } }, { place: 1_000_000 })).toHaveLength(count)
      expect(await storage.kysely.selectFrom('texts').selectAll().execute()).toHaveLength(count)
    })
  })

  test('a write that looks for its records has the time of its transaction', async () => {
    ;({ storage, shelves, accessor } = await openWith({ transactionTimeLimit: 100 }))
    expect(await rejectionOf(accessor.deleteMany(bomb))).toMatchObject({ code: 'transaction_timeout' })
    expect(await accessor.count()).toBe(count)
  })

  test('is a whole number of milliseconds', async () => {
    for (const readTimeLimit of [0, -1, 1.5, Number.NaN]) {
      expect(await rejectionOf(openWith({ readTimeLimit }))).toMatchObject({ code: 'invalid_options' })
    }
  })
})
