import { describe, expect, test } from 'vitest'
import { parseBulkQuery } from '../src/index.ts'

const options = { fields: ['id', 'role', 'at_most'], purge: false }

describe('the query of a change of a filtered collection', () => {
  test('has its conditions and its cap', () => {
    expect(parseBulkQuery('role=guest&at_most=100&dry_run=yes', options)).toEqual({
      conditions: [{ type: 'filter', field: 'role', operator: 'eq', values: ['guest'] }],
      atMost: 100,
      dryRun: true,
      purge: false,
    })
  })

  test('reaches a field that is called like a parameter by an operator', () => {
    expect(parseBulkQuery('at_most[eq]=7&at_most=1', options).conditions).toEqual([
      { type: 'filter', field: 'at_most', operator: 'eq', values: ['7'] },
    ])
  })

  test.each([
    ['no filter', 'at_most=5', 'needs a filter'],
    ['no cap', 'role=guest', 'at_most says how many'],
    ['a cap that is no number', 'role=guest&at_most=all', 'at_most says how many'],
    ['a cap twice', 'role=guest&at_most=5&at_most=6', 'at_most is given twice'],
    ['an unknown field', 'rank=1&at_most=5', 'There is no parameter or field "rank"'],
    ['purge where the route has none', 'role=guest&at_most=5&purge=1', 'There is no parameter or field "purge"'],
  ])('%s is refused', (_what, query, sentence) => {
    expect(() => parseBulkQuery(query, options)).toThrow(sentence)
  })
})
