import { describe, expect, test } from 'vitest'
import { type ListQuery, parseListQuery, splitList } from '../src/index.ts'

const options = { fields: ['id', 'name', 'age', 'limit', 'phone'], includes: ['owner', 'posts'], defaultLimit: 50, maxLimit: 100 }
const nothing: ListQuery = {
  conditions: [],
  sort: [],
  limit: 50,
  offset: 0,
  after: undefined,
  before: undefined,
  fields: undefined,
  include: [],
  includeDeleted: false,
  count: 'exact',
  at: undefined,
}

describe('the query of a list is understood', () => {
  const cases: [title: string, raw: string, Partial<ListQuery>][] = [
    ['nothing at all', '', {}],
    ['an instant of the past', 'at=2026-01-31T12:00:00Z', { at: '2026-01-31T12:00:00Z' }],
    ['a plain key', 'name=li', { conditions: [{ type: 'filter', field: 'name', operator: 'eq', values: ['li'] }] }],
    ['a key with an operator', 'age[gte]=18', { conditions: [{ type: 'filter', field: 'age', operator: 'gte', values: ['18'] }] }],
    ['an encoded key', 'age%5Blt%5D=65', { conditions: [{ type: 'filter', field: 'age', operator: 'lt', values: ['65'] }] }],
    [
      'a range of two conditions',
      'age[gt]=1&age[lte]=9',
      {
        conditions: [
          { type: 'filter', field: 'age', operator: 'gt', values: ['1'] },
          { type: 'filter', field: 'age', operator: 'lte', values: ['9'] },
        ],
      },
    ],
    [
      'a plain key twice means in',
      'name=a&name=b,c',
      { conditions: [{ type: 'filter', field: 'name', operator: 'in', values: ['a', 'b,c'] }] },
    ],
    ['a list', 'id[in]=1,2,3', { conditions: [{ type: 'filter', field: 'id', operator: 'in', values: ['1', '2', '3'] }] }],
    [
      'a list with a comma in an item',
      'name[not_in]="a,b",c',
      { conditions: [{ type: 'filter', field: 'name', operator: 'not_in', values: ['a,b', 'c'] }] },
    ],
    [
      'a list given in parts',
      'id[in]=1,2&id[in]=3',
      { conditions: [{ type: 'filter', field: 'id', operator: 'in', values: ['1', '2', '3'] }] },
    ],
    ['an empty list', 'id[in]=', { conditions: [{ type: 'filter', field: 'id', operator: 'in', values: [] }] }],
    [
      'is_null keeps its text',
      'phone[is_null]=True',
      { conditions: [{ type: 'filter', field: 'phone', operator: 'is_null', values: ['True'] }] },
    ],
    ['an empty value', 'name=', { conditions: [{ type: 'filter', field: 'name', operator: 'eq', values: [''] }] }],
    [
      'a value with plus signs and percent escapes',
      'name=a+b%2Bc%26d%3D',
      { conditions: [{ type: 'filter', field: 'name', operator: 'eq', values: ['a b+c&d='] }] },
    ],
    [
      'a field called like a parameter',
      'limit[eq]=7&limit=5',
      { conditions: [{ type: 'filter', field: 'limit', operator: 'eq', values: ['7'] }], limit: 5 },
    ],
    [
      'an order',
      'sort=-age,name',
      {
        sort: [
          { field: 'age', descending: true },
          { field: 'name', descending: false },
        ],
      },
    ],
    [
      'an order in parts',
      'sort=-age&sort=name',
      {
        sort: [
          { field: 'age', descending: true },
          { field: 'name', descending: false },
        ],
      },
    ],
    ['no order', 'sort=', {}],
    ['a page', 'limit=100&offset=200', { limit: 100, offset: 200 }],
    ['skip is offset', 'skip=20', { offset: 20 }],
    ['deleted records, as Python writes booleans', 'include_deleted=True', { includeDeleted: true }],
    ['booleans as words', 'include_deleted=YES', { includeDeleted: true }],
    ['booleans as digits', 'include_deleted=0', { includeDeleted: false }],
    ['no count', 'count=none', { count: 'none' }],
    ['stray separators', '&&limit=1&', { limit: 1 }],
    ['a match of text', 'name[icontains]=li', { conditions: [{ type: 'filter', field: 'name', operator: 'icontains', values: ['li'] }] }],
    [
      'alternatives',
      'or=(name.eq.admin,age.gte.65)',
      {
        conditions: [
          {
            type: 'or',
            parts: [
              { type: 'filter', field: 'name', operator: 'eq', values: ['admin'] },
              { type: 'filter', field: 'age', operator: 'gte', values: ['65'] },
            ],
          },
        ],
      },
    ],
    [
      'groups in groups, lists and quoted values',
      'and=(not(id.in.(1,2)),or(name.eq."a,(b)\\"",phone.is_null.true))',
      {
        conditions: [
          {
            type: 'and',
            parts: [
              { type: 'not', part: { type: 'and', parts: [{ type: 'filter', field: 'id', operator: 'in', values: ['1', '2'] }] } },
              {
                type: 'or',
                parts: [
                  { type: 'filter', field: 'name', operator: 'eq', values: ['a,(b)"'] },
                  { type: 'filter', field: 'phone', operator: 'is_null', values: ['true'] },
                ],
              },
            ],
          },
        ],
      },
    ],
    [
      'a value with dots and an empty one',
      'or=(name.eq.a.b@c.d,name.eq.)',
      {
        conditions: [
          {
            type: 'or',
            parts: [
              { type: 'filter', field: 'name', operator: 'eq', values: ['a.b@c.d'] },
              { type: 'filter', field: 'name', operator: 'eq', values: [''] },
            ],
          },
        ],
      },
    ],
    ['a cursor', 'after=abc&limit=10', { after: 'abc', limit: 10 }],
    ['a cursor backwards', 'before=abc', { before: 'abc' }],
    ['fields', 'fields=id,name&fields=id', { fields: ['id', 'name'] }],
    ['what to include', 'include=owner,posts', { include: ['owner', 'posts'] }],
  ]
  test.each(cases)('%s', (_title, raw, expected) => {
    expect(parseListQuery(raw, options)).toEqual({ ...nothing, ...expected })
  })
})

describe('the query of a list is refused with a sentence', () => {
  const cases: [raw: string, message: string | RegExp][] = [
    [
      'colour=red',
      'There is no parameter or field "colour". Parameters: and, or, not, sort, limit, offset, skip, after, before, fields, include, include_deleted, count, at. Fields: id, name, age, limit, phone.',
    ],
    ['colour[eq]=red', 'There is no field "colour". Fields: id, name, age, limit, phone.'],
    [
      'age[like]=1',
      '"like" in age is no operator. Operators: eq, ne, lt, lte, gt, gte, in, not_in, contains, starts_with, ends_with, icontains, istarts_with, iends_with, is_null.',
    ],
    ['age[gte][x]=1', /is no operator/],
    ['age[gte=1', /is no operator/],
    ['__proto__=1', /no parameter or field "__proto__"/],
    ['age[gte]=1&age[gte]=2', 'age[gte] is given twice.'],
    ['limit=1&limit=2', 'limit is given twice.'],
    ['limit=-1', 'limit is a whole number from 1 to 100.'],
    ['limit=0', 'limit is a whole number from 1 to 100.'],
    ['limit=1e9', 'limit is a whole number from 1 to 100.'],
    ['limit=NaN', 'limit is a whole number from 1 to 100.'],
    ['limit=', 'limit is a whole number from 1 to 100.'],
    ['limit=101', 'limit is a whole number from 1 to 100.'],
    ['limit=%2010', 'limit is a whole number from 1 to 100.'],
    ['offset=-1', 'offset is a whole number from 0 on.'],
    ['skip=1.5', 'skip is a whole number from 0 on.'],
    ['offset=99999999999999999999', 'offset is a whole number from 0 on.'],
    ['offset=1&skip=1', /two names of one parameter/],
    ['sort=name;DROP', '"name;DROP" in sort is no field. Fields: id, name, age, limit, phone.'],
    ['sort=t1.password', /"t1.password" in sort is no field/],
    ['sort=--name', /"-name" in sort is no field/],
    ['include_deleted=maybe', 'include_deleted is true or false.'],
    ['include_deleted=constructor', 'include_deleted is true or false.'],
    ['count=1', 'count is exact or none.'],
    ['name=%', /not percent-encoded UTF-8/],
    ['name=%ff', /not percent-encoded UTF-8/],
    ['id[in]="1', /is no list/],
    ['or=name.eq.1', /or misses a \( before/],
    ['or=(name.eq.1', /misses a \)/],
    ['or=(name.eq.1)x', /ends too early/],
    ['or=()', /misses a name/],
    ['or=(colour.eq.1)', /no field "colour"/],
    ['or=(name.like.1)', /no operator/],
    ['or=(or(or(or(or(or(name.eq.1))))))', /more than 5 deep/],
    ['after=a&before=b', /give one of them/],
    ['after=a&offset=5', /give one of them/],
    ['fields=', /at least one field/],
    ['fields=colour', /"colour" in fields/],
    ['include=boss', /"boss" in include is none that there is. There are: owner, posts./],
  ]
  test.each(cases)('%s', (raw, message) => {
    expect(() => parseListQuery(raw, options)).toThrow(message)
  })

  test('a name as long as the URL is cut in the message', () => {
    expect(() => parseListQuery(`${'x'.repeat(5000)}=1`, options)).toThrow(/^.{1,400}$/)
  })

  test('more than 50 conditions', () => {
    const fields = Array.from({ length: 51 }, (_, index) => `f${index}`)
    const raw = fields.map((field) => `${field}=1`).join('&')
    expect(() => parseListQuery(raw, { ...options, fields })).toThrow('The query has 51 conditions, and may have 50.')
  })

  test('more than 1,000 values in a list, and more than 1,000 parameters', () => {
    const many = Array.from({ length: 1001 }, (_, index) => index)
    expect(() => parseListQuery(`id[in]=${many.join()}`, options)).toThrow('id is compared with 1001 values, and may be with 1000.')
    expect(() => parseListQuery(many.map((id) => `id=${id}`).join('&'), options)).toThrow('more than 1000 parameters')
  })
})

describe('a list of values', () => {
  const cases: [text: string, items: string[]][] = [
    ['', []],
    ['""', ['']],
    ['a', ['a']],
    ['a,', ['a', '']],
    [',', ['', '']],
    ['a"b,c', ['a"b', 'c']],
    ['"a\\"b\\\\","c,d",e', ['a"b\\', 'c,d', 'e']],
    ['"a",', ['a', '']],
    ['"line\nbreak"', ['line\nbreak']],
  ]
  test.each(cases)('%j', (text, items) => {
    expect(splitList(text)).toEqual(items)
  })
})
