import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ListCondition, type ListFilter, listOperators, parseListQuery, writeConditions, writeQuery } from '../src/index.ts'

const fields = ['id', 'name', 'age', 'limit', 'and', 'count']
const options = { fields, includes: [], defaultLimit: 50, maxLimit: 100 }

const read = (conditions: readonly ListCondition[]) => parseListQuery(writeQuery(writeConditions(conditions)), options).conditions

/** Text with everything that means something in a query. */
const value = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom(',', '"', '\\', '(', ')', '[', ']', '%', '&', '=', '+', ' ', '.', '-', '\n', 'a', 'ß', '漢', '🦉'),
    maxLength: 8,
  }),
  fc.constantFrom('', ' ', '""', 'null', 'not(', '%41', 'a.eq.b', '(1,2)'),
)

const filter: fc.Arbitrary<ListFilter> = fc
  .record({
    field: fc.constantFrom(...fields),
    operator: fc.constantFrom(...listOperators),
    values: fc.array(value, { maxLength: 4 }),
    single: value,
  })
  .map(({ field, operator, values, single }) => {
    const listed = operator === 'in' || operator === 'not_in'
    return { type: 'filter', field, operator, values: listed ? values : [single] }
  })

const inner: fc.Arbitrary<ListCondition> = fc.letrec<{ condition: ListCondition; parts: ListCondition[] }>((tie) => ({
  parts: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }),
  condition: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    filter,
    fc.record({ type: fc.constantFrom('and' as const, 'or' as const), parts: tie('parts') }),
    tie('parts').map((parts): ListCondition => ({ type: 'not', part: { type: 'and', parts } })),
  ),
})).condition

/** What all must hold, one by one: in which groups it is written has no meaning. */
const apart = (conditions: readonly ListCondition[]): string[] =>
  conditions.flatMap((condition) => (condition.type === 'and' ? apart(condition.parts) : [JSON.stringify(condition)])).sort()

describe('conditions that were written', () => {
  test('are read as they were', () => {
    fc.assert(
      fc.property(fc.array(inner, { maxLength: 4 }), (conditions) => {
        expect(apart(read(conditions))).toEqual(apart(conditions))
      }),
      { numRuns: 1_000 },
    )
  })

  test('keep their order and structure in a group', () => {
    fc.assert(
      fc.property(fc.array(inner, { minLength: 1, maxLength: 4 }), (parts) => {
        expect(read([{ type: 'or', parts }])).toEqual([{ type: 'or', parts }])
      }),
      { numRuns: 1_000 },
    )
  })

  test('of one field and operator twice must both hold', () => {
    const twice: ListFilter[] = ['a', 'b'].map((text) => ({ type: 'filter', field: 'name', operator: 'eq', values: [text] }))
    expect(writeConditions(twice)).toEqual([
      { name: 'name[eq]', value: 'a' },
      { name: 'and', value: '(name.eq.b)' },
    ])
  })

  test('are short where nothing needs quotes', () => {
    const conditions: ListCondition[] = [
      { type: 'filter', field: 'id', operator: 'in', values: ['1', '2'] },
      { type: 'not', part: { type: 'filter', field: 'name', operator: 'contains', values: ['li'] } },
    ]
    expect(writeConditions(conditions)).toEqual([
      { name: 'id[in]', value: '1,2' },
      { name: 'not', value: '(name.contains.li)' },
    ])
  })
})
