import { type ListCondition, type ListQuery, parseListQuery, QueryError } from '@strongroom/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type DialectName, translateQuery } from '../../src/dialects/translate.ts'

/** Fields that are called like the words of a dialect, and like our own. */
const fields = ['id', 'name', 'age', 'age_gte', 'name_like', 'limit', 'sort', 'q'] as const
const setting = { fields, includes: ['owner', 'products'], id: 'id', defaultLimit: 50, maxLimit: 1000 }
const dialects: readonly DialectName[] = ['simple-rest', 'json-server']

const translate = (name: DialectName, raw: string): ListQuery => parseListQuery(translateQuery([name], 'list', raw, setting), setting)

/** A question, as a provider is asked it. */
interface Question {
  readonly filters: readonly { readonly field: string; readonly ending: string; readonly values: readonly string[] }[]
  readonly sort: readonly { readonly field: string; readonly descending: boolean }[]
  readonly page: { readonly offset: number; readonly limit: number }
}

const operators: Readonly<Record<string, string>> = { '': 'eq', _ne: 'ne', _gt: 'gt', _lte: 'lte', _like: 'icontains' }
const field = fc.constantFrom(...fields)
const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('', '"', '\\', ',', '"a,b"', '%', '+ &=#', 'null', '[1]'))
const filter = fc
  .record({ field, ending: fc.constantFrom(...Object.keys(operators)), values: fc.array(text, { minLength: 1, maxLength: 3 }) })
  // `age` that ends with `_gte` is the field of that name, which is asked for by itself.
  .filter((one) => !(fields as readonly string[]).includes(`${one.field}${one.ending}`) || one.ending === '')
  .map((one) => (one.ending === '' || one.ending === '_ne' ? one : { ...one, values: one.values.slice(0, 1) }))
const question: fc.Arbitrary<Question> = fc.record({
  filters: fc.uniqueArray(filter, { selector: (one) => `${one.field}${one.ending}`, maxLength: 4 }),
  sort: fc.uniqueArray(fc.record({ field, descending: fc.boolean() }), { selector: (one) => one.field, minLength: 1, maxLength: 3 }),
  page: fc.record({ offset: fc.nat(100_000), limit: fc.integer({ min: 1, max: 1000 }) }),
})

/** Any order of the parameters means the same. */
const shuffled = (parts: readonly string[], seed: number) => [...parts].sort((a, b) => hash(a, seed) - hash(b, seed))
const hash = (part: string, seed: number) => [...part].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_537, seed)

const encode = (name: string, value: string) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`

function inSimpleRest({ filters, sort: [first], page: { offset, limit } }: Question): string[] {
  const filter = Object.fromEntries(filters.map((one) => [`${one.field}${one.ending}`, one.values.length > 1 ? one.values : one.values[0]]))
  const sort = first && JSON.stringify([first.field, first.descending ? 'DESC' : 'ASC'])
  return [
    encode('filter', JSON.stringify(filter)),
    encode('range', JSON.stringify([offset, offset + limit - 1])),
    ...(sort ? [encode('sort', sort)] : []),
  ]
}

function inJsonServer({ filters, sort, page: { offset, limit } }: Question): string[] {
  // Our own words have these names for themselves; a client has to write the long form.
  const name = (field: string, ending: string) =>
    ending === '' && (field === 'limit' || field === 'sort') ? `${field}_eq` : `${field}${ending}`
  return [
    ...filters.flatMap((one) => one.values.map((value) => encode(name(one.field, one.ending), value))),
    encode('_sort', sort.map((one) => one.field).join()),
    encode('_order', sort.map((one) => (one.descending ? 'desc' : 'asc')).join()),
    `_start=${offset}`,
    `_end=${offset + limit}`,
  ]
}

/** Filters as text, whose order means nothing. */
const shown = (conditions: readonly ListCondition[]) =>
  conditions.map((condition) => JSON.stringify(condition, Object.keys(condition).sort())).sort()

function wanted({ filters }: Question): string[] {
  return shown(
    filters.map(({ field, ending, values }): ListCondition => {
      const many = ending === '' ? 'in' : 'not_in'
      const operator = values.length > 1 ? many : operators[ending]
      // One of the operators above.
      return { type: 'filter', field, operator: operator as 'eq', values }
    }),
  )
}

test('a question means the same in our words as in those of simple-rest', () => {
  fc.assert(
    fc.property(question, fc.nat(1000), (asked, seed) => {
      const { conditions, sort, offset, limit } = translate('simple-rest', shuffled(inSimpleRest(asked), seed).join('&'))
      expect(shown(conditions)).toEqual(wanted(asked))
      expect({ sort, offset, limit }).toEqual({ sort: asked.sort.slice(0, 1), ...asked.page })
    }),
  )
})

test('a question means the same in our words as in those of json-server, in any order', () => {
  fc.assert(
    fc.property(question, fc.nat(1000), (asked, seed) => {
      const { conditions, sort, offset, limit } = translate('json-server', shuffled(inJsonServer(asked), seed).join('&'))
      const sorted = (texts: string[]) =>
        texts.map((one) => one.replace(/"values":\[(.*)\]/, (_all, list: string) => [...list].sort().join('')))
      expect(sorted(shown(conditions))).toEqual(sorted(wanted(asked)))
      expect({ sort, offset, limit }).toEqual({ sort: asked.sort, ...asked.page })
    }),
  )
})

const ownPart = fc.oneof(
  fc.tuple(field, text).map(([name, value]) => encode(name, value)),
  fc
    .tuple(field, fc.constantFrom('eq', 'ne', 'gte', 'in', 'is_null', 'like'), text)
    .map(([name, word, value]) => encode(`${name}[${word}]`, value)),
  fc.tuple(fc.constantFrom('sort', 'fields', 'include'), field).map(([name, value]) => encode(name, value)),
  fc.constantFrom(
    'limit=10',
    'offset=20',
    'skip=3',
    'or=(name.eq.a,age.gte.3)',
    'count=none',
    'include_deleted=true',
    'nobody=1',
    'name',
    '',
    'a=%zz',
  ),
)

test('our own language stays as it is, to the letter', () => {
  fc.assert(
    fc.property(fc.array(ownPart, { maxLength: 8 }), fc.constantFrom<'list' | 'get'>('list', 'get'), (parts, of) => {
      const raw = parts.join('&')
      // An order in brackets is theirs: in our words none begins like that.
      fc.pre(!raw.includes('%zz') && !/(^|&)sort=(%5B|\[)/i.test(raw))
      expect(translateQuery(dialects, of, raw, setting)).toBe(raw)
    }),
  )
})

const word = fc.constantFrom(
  'sort',
  'range',
  'filter',
  'embed',
  '_sort',
  '_order',
  '_start',
  '_end',
  '_page',
  '_limit',
  '_embed',
  'age_ne',
  'age:lt',
  'id',
)
const anything = fc.oneof(
  fc.json({ maxDepth: 3 }).map((json) => encodeURIComponent(json)),
  fc.constantFrom('1', '-1', '1e9', '9'.repeat(30), '%5B1,2%5D', '%5B0,9.5%5D', '%22%5Cud800%22', '%7B%22name%22:%22%5Cud800%22%7D', ''),
  fc.string({ unit: 'binary-ascii' }).map(encodeURIComponent),
)

test('whatever is sent is understood, or refused with a sentence', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(word, anything), { maxLength: 5 }), (pairs) => {
      try {
        parseListQuery(translateQuery(dialects, 'list', pairs.map((pair) => pair.join('=')).join('&'), setting), setting)
      } catch (error) {
        expect(error).toBeInstanceOf(QueryError)
      }
    }),
    { numRuns: 500 },
  )
})
