import { ModelAccessor, type OrderBy, type Where } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { fold } from '../src/engine/fold.ts'
import { storagesOn } from './support.ts'
import { anyOrder, anyRow, anyWhere, type Row, Thing } from './things.ts'

describeEngines('filters', (engine) => {
  const open = storagesOn(engine, 'suite')
  const things = new ModelAccessor(Thing, 'things')
  let rows: Row[]
  beforeAll(async () => {
    await open([things])
    // The rows hold values of the model's own types, chosen above.
    rows = await things.insertMany(fc.sample(anyRow, { numRuns: 150, seed: 7 }) as never)
    const gone = rows.splice(0, 10)
    await things.deleteMany(gone.map((row) => row['id'] as number))
  })

  test('any filter finds what a plain filter in memory finds', async () => {
    await fc.assert(
      fc.asyncProperty(anyWhere, async (where) => {
        const expected = rows.filter((row) => holds(where, row)).map((row) => row['id'])
        const found = await things.find({ where: where as Where<typeof Thing> })
        expect(found.map((row) => row.id)).toEqual(expected)
        expect(await things.count(where as Where<typeof Thing>)).toBe(expected.length)
      }),
      { numRuns: Number(process.env['RUNS'] ?? 250) },
    )
  })

  test('any page of any filter in any order is the one of an in-memory filter and sort, and so is a walk by cursors', async () => {
    const length = fc.integer({ min: 1, max: 60 })
    const numRuns = Number(process.env['RUNS'] ?? 80)
    await fc.assert(
      fc.asyncProperty(anyWhere, anyOrder, fc.nat(80), length, async (where, order, offset, limit) => {
        const question = { where: where as Where<typeof Thing>, orderBy: order as OrderBy<typeof Thing>, limit }
        const matching = rows.filter((row) => holds(where, row))
        const expected = matching.sort((a, b) => compareBy(order, a, b)).map((row) => row['id'])
        const page = await things.page({ ...question, offset })
        expect(page.rows.map((row) => row.id)).toEqual(expected.slice(offset, offset + limit))
        expect(page.total).toBe(expected.length)
        const walked: unknown[] = []
        for (let after: string | undefined, ended = false; !ended; ) {
          const next = await things.page({ ...question, count: 'none', ...(after !== undefined && { after }) })
          walked.push(...next.rows.map((row) => row.id))
          after = next.next
          ended = after === undefined
        }
        expect(walked).toEqual(expected)
      }),
      { numRuns },
    )
  })
})

/** Null is the largest value; the id decides at last, in the direction of the field before it. */
function compareBy(terms: readonly string[], a: Row, b: Row): number {
  const last = terms.at(-1)?.startsWith('-') ? '-id' : 'id'
  for (const term of [...terms, last]) {
    const name = term.replace('-', '')
    const difference = compareNullable(a[name], b[name])
    if (difference !== 0) return term.startsWith('-') ? -difference : difference
  }
  return 0
}

function compareNullable(a: unknown, b: unknown): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  return order(a, b)
}

function holds(where: Row, row: Row): boolean {
  return Object.entries(where).every(([name, what]) => {
    if (name === 'and') return (what as Row[]).every((part) => holds(part, row))
    if (name === 'or') return (what as Row[]).some((part) => holds(part, row))
    if (name === 'not') return !holds(what as Row, row)
    const conditions = what !== null && typeof what === 'object' && !(what instanceof Date) ? (what as Row) : { eq: what }
    return Object.entries(conditions).every(([operator, operand]) => compares(operator, row[name], operand))
  })
}

function compares(operator: string, value: unknown, operand: unknown): boolean {
  switch (operator) {
    case 'eq':
      return same(value, operand)
    case 'ne':
      return !same(value, operand)
    case 'in':
      return (operand as unknown[]).some((item) => same(value, item))
    case 'notIn':
      return !(operand as unknown[]).some((item) => same(value, item))
    case 'isNull':
      return (value === null) === operand
    default:
      return value !== null && comparesValue(operator, value, operand)
  }
}

function comparesValue(operator: string, value: unknown, operand: unknown): boolean {
  if (operator in textTests) return textTests[operator]?.(String(value), String(operand)) ?? false
  const difference = order(value, operand)
  return { lt: difference < 0, lte: difference <= 0, gt: difference > 0, gte: difference >= 0 }[operator] ?? false
}

const textTests: Record<string, (text: string, part: string) => boolean> = {
  contains: (text, part) => text.includes(part),
  startsWith: (text, part) => text.startsWith(part),
  endsWith: (text, part) => text.endsWith(part),
  icontains: (text, part) => fold(text).includes(fold(part)),
  istartsWith: (text, part) => fold(text).startsWith(fold(part)),
  iendsWith: (text, part) => fold(text).endsWith(fold(part)),
}

function same(a: unknown, b: unknown): boolean {
  return a === b || (a !== null && b !== null && order(a, b) === 0)
}

/** Code points for text; numbers, decimals, instants and booleans by their value. */
function order(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string' && !/^-?\d+\.\d{3}$/.test(a)) return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : a > b ? 1 : 0
  return Number(a) - Number(b)
}
