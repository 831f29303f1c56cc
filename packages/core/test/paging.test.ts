import { DateTime, Decimal, defineModel, ModelAccessor, type OrderBy } from '@strongroom/core'
import { describeEngines, needs } from '@strongroom/testkit'
import fc from 'fast-check'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { beforeAll, expect, test } from 'vitest'
import { openEngine } from '../src/engine/open-engine.ts'
import { BoundTable } from '../src/query/bound-table.ts'
import { parseOrder } from '../src/query/order.ts'
import { seeksAfter, seeksFromStart } from '../src/query/seek.ts'
import { selectStatement } from '../src/query/select.ts'
import { prepareSchema } from '../src/schema/prepare-schema.ts'
import { explain } from './explain.ts'
import { rejectionOf, storagesOn } from './support.ts'

const Item = defineModel(
  'items',
  {
    name: Type.Optional(Type.String()),
    rank: Type.Optional(Type.Integer()),
    price: Type.Optional(Decimal({ precision: 10, scale: 2 })),
    at: Type.Optional(DateTime()),
    done: Type.Boolean(),
  },
  { indexes: [['rank'], ['name', 'rank']] },
)
type Order = OrderBy<typeof Item>

/** Few values, so that ties and nulls are everywhere. */
const fields = fc.record({
  name: fc.constantFrom(null, '', 'a', 'B', 'é', '😀'),
  rank: fc.constantFrom(null, -1, 0, 5),
  price: fc.constantFrom(null, '-1.00', '2.50', '10.00'),
  at: fc.constantFrom(null, new Date(-1), new Date('2026-01-01T00:00:00Z')),
  done: fc.boolean(),
})
const terms = ['name', 'rank', 'price', 'at', 'done', 'id'].flatMap((name) => [name, `-${name}`])
const orders = fc.uniqueArray(fc.constantFrom(...terms), { maxLength: 4, selector: (term) => term.replace('-', '') })

describeEngines('paging', (engine) => {
  const open = storagesOn(engine, 'suite')
  const items = new ModelAccessor(Item, 'items')
  const given = fc.sample(fields, { numRuns: 120, seed: 20_261_123 })
  beforeAll(async () => {
    await open([items])
    await items.insertMany(given)
  })

  const walkForward = async (orderBy: Order, limit: number, between: () => Promise<void> = async () => undefined): Promise<number[]> => {
    const ids: number[] = []
    let page = await items.page({ orderBy, limit })
    ids.push(...page.rows.map((row) => row.id))
    while (page.next !== undefined) {
      await between()
      page = await items.page({ orderBy, limit, after: page.next })
      ids.push(...page.rows.map((row) => row.id))
    }
    return ids
  }

  test('cursors walk any order forward as find gives it, and backward the same way', async () => {
    await fc.assert(
      fc.asyncProperty(orders, fc.integer({ min: 1, max: 50 }), async (order, limit) => {
        const orderBy = order as Order
        const expected = (await items.find({ orderBy })).map((row) => row.id)
        expect(await walkForward(orderBy, limit)).toEqual(expected)
        const last = await items.page({ orderBy, limit, offset: expected.length - 1 })
        const backward = last.rows.map((row) => row.id)
        let page = last
        while (page.previous !== undefined) {
          page = await items.page({ orderBy, limit, before: page.previous })
          backward.unshift(...page.rows.map((row) => row.id))
        }
        expect(backward).toEqual(expected)
      }),
      { numRuns: 40 },
    )
  })

  test('any order is the one of an in-memory sort: null is the largest, text goes by code point', async () => {
    await fc.assert(
      fc.asyncProperty(orders, async (order) => {
        const found = await items.find({ orderBy: order as Order })
        const expected = [...found].sort((a, b) => compareBy(order, a, b))
        expect(found).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })

  test('records that are there throughout are neither repeated nor skipped while others come and go', async () => {
    const orderBy = ['-rank', 'name'] as const
    const there = new Set((await items.find()).map((row) => row.id))
    const passing: number[] = []
    let step = 0
    const seen = await walkForward(orderBy, 7, async () => {
      const added = await items.insertMany([
        { name: 'a', rank: (step % 7) - 1, done: true },
        { name: null, rank: null, done: false },
      ])
      passing.push(...added.map((row) => row.id))
      if (++step % 2 === 0) await items.purgeMany(passing.splice(0, 3))
    })
    await items.purgeMany(passing)
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen.filter((id) => there.has(id)).sort((a, b) => a - b)).toEqual([...there])
  })

  test('a page tells the total unless it is asked not to, and an empty page has a true total', async () => {
    expect((await items.page({ limit: 0 })).total).toBe(given.length)
    expect(await items.page({ limit: 0 })).toEqual({ rows: [], total: given.length })
    expect('total' in (await items.page({ limit: 1, count: 'none' }))).toBe(false)
  })

  test('the first page has no previous and the last no next', async () => {
    const first = await items.page({ limit: given.length })
    expect(first.previous).toBeUndefined()
    expect(first.next).toBeUndefined()
  })

  const forgeries = [
    '',
    'x',
    'W10',
    Buffer.from('[1,"id","7; DROP"]').toString('base64url'),
    Buffer.from('[1,"id",null]').toString('base64url'),
  ]
  // What other programs have stored may have more digits than the model takes; a numeric(10, 2) holds none of these.
  needs(engine, 'pragmas', () => {
    test('a record whose decimal has too many digits, or whose text has a NUL, is walked past', async () => {
      const other = new ModelAccessor(Item, 'items')
      const storage = await open([other])
      await other.insertMany(Array.from({ length: 4 }, () => ({ done: false })))
      const foreign = ['9223372036854775807', '-9223372036854775808', '100', '12345678901234']
      await storage.transaction(
        async ({ kysely }) => {
          for (const [at, price] of foreign.entries())
            await sql`UPDATE items SET price = ${sql.raw(price)} WHERE id = ${at + 1}`.execute(kysely)
          await sql`UPDATE items SET name = 'a' || char(0) || 'b' WHERE id < 4`.execute(kysely)
        },
        { unaudited: true },
      )
      const walked = async (orderBy: Order): Promise<number[]> => {
        const ids: number[] = []
        let page = await other.page({ orderBy, limit: 1 })
        for (; page.next !== undefined; page = await other.page({ orderBy, limit: 1, after: page.next }))
          ids.push(...page.rows.map(({ id }) => id))
        return [...ids, ...page.rows.map(({ id }) => id)]
      }
      expect(await walked(['price'])).toEqual([2, 3, 4, 1])
      expect(await walked(['name', '-id'])).toEqual([3, 2, 1, 4])
    })
  })

  test.each(forgeries)('a forged cursor is refused: %j', async (after) => {
    expect(await rejectionOf(items.page({ after }))).toMatchObject({ code: 'invalid_query' })
  })

  test('a cursor of another order is refused', async () => {
    const { next = '' } = await items.page({ orderBy: 'rank', limit: 1 })
    expect(await rejectionOf(items.page({ orderBy: '-rank', after: next }))).toMatchObject({ code: 'invalid_query' })
  })

  test('each stretch that a cursor seeks is walked along an index where there is one', async () => {
    const bare = await openEngine(await engine.freshUrl(), { sqlite: {}, postgres: {} })
    try {
      await prepareSchema(bare, [Item], { createTables: true })
      const table = new BoundTable(Item, bare)
      for (const orderBy of ['rank', '-rank']) {
        const keys = parseOrder(Item, orderBy)
        const places = [
          [3, 7],
          [null, 7],
        ]
        for (const seek of [...seeksFromStart(Item, keys), ...places.flatMap((place) => seeksAfter(table, keys, place))]) {
          const statement = selectStatement(table, undefined, { ...seek, includeDeleted: false, limit: 10 })
          expect(await explain(bare, statement)).not.toMatch(/temp b-tree|\bsort\b|seq scan|SCAN items$/im)
        }
      }
    } finally {
      await bare.close()
    }
  })
})

/** The id comes last, in the direction of the field before it. */
function compareBy(order: readonly string[], a: Record<string, unknown>, b: Record<string, unknown>): number {
  for (const term of [...order, order.at(-1)?.startsWith('-') ? '-id' : 'id']) {
    const name = term.replace('-', '')
    const difference = compareValues(a[name], b[name])
    if (difference !== 0) return term.startsWith('-') ? -difference : difference
  }
  return 0
}

function compareValues(a: unknown, b: unknown): number {
  if (a === b) return 0
  if (a === null) return 1
  if (b === null) return -1
  if (typeof a === 'string' && typeof b === 'string') {
    if (/^-?\d+\.\d\d$/.test(a)) return Number(a) - Number(b)
    return Buffer.compare(Buffer.from(a), Buffer.from(b))
  }
  return Number(a) - Number(b)
}
