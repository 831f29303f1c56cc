import { DateTime, Decimal, Default, defineModel, Int64, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { beforeAll, expect, expectTypeOf, test } from 'vitest'
import { rejectionOf, storagesOn } from './support.ts'

const Order = defineModel(
  'orders',
  {
    customer: Type.Optional(Type.String()),
    paid: Default(Type.Boolean(), false),
    lines: Type.Integer(),
    weight: Type.Optional(Type.Number()),
    total: Decimal({ precision: 18, scale: 2 }),
    grams: Int64(),
    placed: DateTime(),
    note: Type.Optional(Type.String()),
  },
  { softDelete: true, secret: ['note'] },
)

describeEngines('aggregate', (engine) => {
  const open = storagesOn(engine, 'suite')
  const orders = new ModelAccessor(Order, 'orders')
  beforeAll(async () => {
    await open([orders])
    const base = { lines: 1, weight: 0.5, total: '0.10', grams: 2n ** 53n, placed: new Date('2026-01-01T00:00:00Z') }
    await orders.insertMany([
      { ...base, customer: 'é', paid: true, lines: 2 },
      { ...base, customer: 'b', total: '0.20' },
      { ...base, customer: 'b', weight: null, total: '9999999999999999.99', grams: 1n, placed: new Date('2025-01-01T00:00:00Z') },
      { ...base, lines: 5 },
    ])
    const gone = await orders.insert({ ...base, customer: 'b', lines: 1_000 })
    await orders.delete(gone.id)
  })

  test('without groups, all live records are one', async () => {
    const rows = await orders.aggregate({ measures: ['count', 'sum:lines', 'min:lines', 'max:lines'] })
    expect(rows).toEqual([{ count: 4, sum_lines: 9, min_lines: 1, max_lines: 5 }])
  })

  test('groups come in their order, null last, with their values in code form', async () => {
    const rows = await orders.aggregate({ groupBy: ['customer', 'paid'], measures: ['count'] })
    expectTypeOf(rows).toEqualTypeOf<{ customer: string | null; paid: boolean; count: number }[]>()
    expect(rows).toEqual([
      { customer: 'b', paid: false, count: 2 },
      { customer: 'é', paid: true, count: 1 },
      { customer: null, paid: false, count: 1 },
    ])
  })

  test('sums of decimals and 64-bit integers are exact', async () => {
    const [row] = await orders.aggregate({ measures: ['sum:total', 'sum:grams'] })
    expect(row).toEqual({ sum_total: '10000000000000000.39', sum_grams: 3n * 2n ** 53n + 1n })
  })

  test('sums past 64 bits are exact too, and those that no number holds are refused', async () => {
    const big = new ModelAccessor(Order, 'orders')
    await open([big])
    const most = { lines: 2 ** 52, total: '9999999999999999.99', grams: 2n ** 63n - 1n, placed: new Date(0), weight: 1e308 }
    const least = { ...most, total: '-9999999999999999.99', grams: -(2n ** 63n), customer: 'least' }
    await big.insertMany([...Array.from({ length: 20 }, () => most), ...Array.from({ length: 20 }, () => least)])
    expect(await big.aggregate({ groupBy: ['customer'], measures: ['sum:total', 'sum:grams', 'avg:lines'] })).toEqual([
      { customer: 'least', sum_total: '-199999999999999999.80', sum_grams: -20n * 2n ** 63n, avg_lines: 2 ** 52 },
      { customer: null, sum_total: '199999999999999999.80', sum_grams: 20n * (2n ** 63n - 1n), avg_lines: 2 ** 52 },
    ])
    expect(await big.aggregate({ measures: ['sum:total', 'sum:grams'] })).toEqual([{ sum_total: '0.00', sum_grams: -20n }])
    for (const measure of ['sum:lines', 'sum:weight'] as const)
      expect(await rejectionOf(big.aggregate({ measures: [measure] }))).toMatchObject({ code: 'invalid_query' })
  })

  test('averages leave null out, and are null of nothing', async () => {
    const rows = await orders.aggregate({ groupBy: ['customer'], measures: ['avg:weight', 'avg:lines'], where: { customer: 'b' } })
    expect(rows).toEqual([{ customer: 'b', avg_weight: 0.5, avg_lines: 1 }])
    const [none] = await orders.aggregate({ measures: ['avg:lines', 'sum:total', 'max:placed'], where: { lines: -1 } })
    expect(none).toEqual({ avg_lines: null, sum_total: null, max_placed: null })
  })

  test('least and greatest have the type of their field', async () => {
    const [row] = await orders.aggregate({ measures: ['min:placed', 'max:customer', 'max:total'] })
    expectTypeOf(row?.min_placed).toEqualTypeOf<Date | null | undefined>()
    expect(row).toEqual({ min_placed: new Date('2025-01-01T00:00:00Z'), max_customer: 'é', max_total: '9999999999999999.99' })
  })

  test.each([['sum:customer'], ['avg:placed'], ['min:paid'], ['median:lines'], ['sum'], ['sum:note'], ['sum:nothing']])(
    '%s is refused',
    async (measure) => {
      expect(await rejectionOf(orders.aggregate({ measures: [measure as 'count'] }))).toMatchObject({ code: 'invalid_query' })
    },
  )

  test('what is no list is refused, from code without types, too', async () => {
    const untyped = { measures: { count: true }, groupBy: 'customer' } as unknown as { measures: ['count']; groupBy: ['customer'] }
    expect(await rejectionOf(orders.aggregate(untyped))).toMatchObject({ code: 'invalid_query' })
    expect(await rejectionOf(orders.aggregate({ ...untyped, measures: ['count'] }))).toMatchObject({ code: 'invalid_query' })
  })

  test('a secret field answers exactly like an unknown one', async () => {
    const secret = await rejectionOf(orders.aggregate({ groupBy: ['note'], measures: ['count'] }))
    const unknown = await rejectionOf(orders.aggregate({ groupBy: ['nota' as 'note'], measures: ['count'] }))
    expect(String(secret).replace('note', 'nota')).toBe(String(unknown))
  })
})
