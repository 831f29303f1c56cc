import type { Breakage } from './breakage.ts'
import { allows, type Parameter } from './document.ts'
import { fieldOf, filtersOf } from './queries.ts'
import type { Draft } from './request.ts'

const inQuery = ({ operation }: Draft): Parameter[] => operation.parameters.filter((parameter) => parameter.in === 'query')
const hasFilters = ({ operation }: Draft): boolean => filtersOf(operation).length > 0
const noFilters = (draft: Draft): Parameter[] => inQuery(draft).filter((parameter) => !filtersOf(draft.operation).includes(parameter))
const add = (draft: Draft, name: string, value: string): true => {
  delete draft.rawQuery
  draft.query.push([name, value])
  return true
}
/** Gives a parameter this value alone. */
const set = (draft: Draft, name: string, value: string): true => {
  draft.query = draft.query.filter(([known]) => known !== name)
  return add(draft, name, value)
}

/** Makes room: a request line and its headers have 16 kB. */
const keepRequired = (draft: Draft): void => {
  const required = new Set(
    inQuery(draft)
      .filter((parameter) => parameter.required === true)
      .map(({ name }) => name),
  )
  draft.query = draft.query.filter(([name]) => required.has(name))
}

/** A value that is none of the parameter's. */
function wrongValues({ name, schema }: Parameter): string[] {
  if (allows(schema, 'integer'))
    return ['-1', '1e3', 'abc', '', '99999999999999999999', '0x10', '1.5', ' 1', 'NaN', '１', ...(schema.minimum === 1 ? ['0'] : [])]
  if (allows(schema, 'boolean')) return ['maybe', '', '2', 'null', 'tru', 'truee']
  if (schema.enum) return ['nonsense', '']
  if (schema.format === 'date-time') return ['yesterday', '2020-13-01T00:00:00Z', '2020-01-01', '', '2020-01-01T00:00:00', '9'.repeat(50)]
  if (name === 'after' || name === 'before')
    return ['nonsense', 'e30', 'W10', 'eyJhIjoxfQ', '', '%00', 'a'.repeat(5_000), 'bnVsbA', '[]', '-1']
  if (name === 'and' || name === 'or' || name === 'not')
    return ['(', '()', 'a', '(a.eq.1', '(no_such.eq.1)', `${'('.repeat(500)}`, `${'(not'.repeat(6)}`, '(id.nope.1)', '']
  if (name === 'sort' || name === 'fields' || name === 'group_by')
    return ['no_such_field', '-', 'password_hash', 'id;drop table', '__proto__', ' ', 'constructor']
  if (name === 'include') return ['no_such', '__proto__', 'toString']
  if (name === 'measures') return ['sum', 'sum:no_such_field', 'median:id', 'count:', ':', 'avg:password_hash', 'count,count:id']
  return []
}

/** What is wrong with a query. */
export const queryBreakages: readonly Breakage[] = [
  {
    kind: 'an unknown parameter',
    // Probes and browsers add what they like to the paths that take no parameters at all.
    mustBeRefused: (draft) => inQuery(draft).length > 0,
    apply: (draft, { dice }) =>
      add(draft, dice.pick(['no_such_parameter', '__proto__', 'constructor', 'LIMIT', 'limit ', 'a[b][c]', '[]', '']), '1'),
  },
  {
    kind: 'an unknown operator or field',
    mustBeRefused: true,
    apply(draft, { dice }) {
      const field = dice.pick(filtersOf(draft.operation).map(({ name }) => fieldOf(name)))
      if (field === undefined) return false
      return add(
        draft,
        dice.pick([
          `${field}[nope]`,
          `${field}[`,
          `${field}[]`,
          `${field}[eq`,
          `${field}[EQ]`,
          `${field}[__proto__]`,
          'no_such[eq]',
          'password_hash[ne]',
          'row_version',
        ]),
        '1',
      )
    },
  },
  {
    kind: 'a wrong value of a parameter',
    mustBeRefused: true,
    apply(draft, { dice }) {
      const parameter = dice.pick(noFilters(draft).filter((candidate) => wrongValues(candidate).length > 0))
      const value = parameter && dice.pick(wrongValues(parameter))
      // The header says the same, and wins.
      if (parameter?.name === 'after') delete draft.headers['last-event-id']
      return parameter !== undefined && value !== undefined && set(draft, parameter.name, value)
    },
  },
  {
    kind: 'a wrong value of a filter',
    mustBeRefused: true,
    apply(draft, { document, dice }) {
      const typed = filtersOf(draft.operation).filter(({ schema }) => {
        const item = document.follow(document.follow(schema).items ?? {})
        return (
          allows(item, 'integer') ||
          allows(item, 'number') ||
          allows(item, 'boolean') ||
          item.format === 'date' ||
          item.format === 'date-time' ||
          item.enum
        )
      })
      const field = dice.pick(typed.map(({ name }) => fieldOf(name)))
      if (field === undefined) return false
      return add(
        draft,
        `${field}[${dice.pick(['ne', 'eq', 'in'])}]`,
        dice.pick(['no value!', '1e999', '--1', '\0', '9'.repeat(400), '2020-02-31']),
      )
    },
  },
  {
    kind: 'a parameter twice',
    mustBeRefused: true,
    apply(draft, { dice }) {
      const repeated = noFilters(draft).filter(
        ({ schema, name }) => allows(schema, 'integer') || allows(schema, 'boolean') || name === 'after',
      )
      const name = dice.pick(repeated)?.name
      return name !== undefined && add(draft, name, '1') && add(draft, name, '1')
    },
  },
  {
    kind: 'a required parameter left out',
    mustBeRefused: true,
    apply(draft, { dice }) {
      const name = dice.pick(inQuery(draft).filter(({ required }) => required === true))?.name
      if (name === undefined) return false
      draft.query = draft.query.filter(([known]) => known !== name)
      return true
    },
  },
  {
    kind: 'a change without a filter',
    mustBeRefused: true,
    apply(draft) {
      if (!hasFilters(draft) || draft.method === 'GET') return false
      const names = new Set(noFilters(draft).map(({ name }) => name))
      delete draft.rawQuery
      draft.query = draft.query.filter(([name]) => names.has(name) && name !== 'and' && name !== 'or' && name !== 'not')
      return true
    },
  },
  {
    kind: 'bad percent-encoding',
    mustBeRefused: (draft) => inQuery(draft).length > 0,
    apply(draft, { dice }) {
      draft.rawQuery = dice.pick(['%zz=1', 'limit=%', 'id=%ff', 'name=%c3%28', '%=%', 'a=%ED%A0%80', 'sort=%u0041'])
      return true
    },
  },
  {
    kind: 'too many conditions',
    mustBeRefused: true,
    apply(draft, { dice }) {
      const field = dice.pick(filtersOf(draft.operation).map(({ name }) => fieldOf(name)))
      if (field === undefined) return false
      keepRequired(draft)
      const many = Array.from({ length: dice.integer(51, 300) }, () => `${field}.ne.1`).join(',')
      return dice.chance(0.5) ? set(draft, 'or', `(${many})`) : add(draft, `${field}[in]`, '1,'.repeat(1_100))
    },
  },
  {
    kind: 'patterns and injections in a filter',
    mustBeRefused: false,
    apply(draft, { document, dice }) {
      const texts = filtersOf(draft.operation).filter(({ schema }) =>
        allows(document.follow(document.follow(schema).items ?? {}), 'string'),
      )
      const field = dice.pick(texts.map(({ name }) => fieldOf(name)))
      if (field === undefined) return false
      keepRequired(draft)
      const bombs = [
        '%_'.repeat(1_000),
        '%'.repeat(3_000),
        '\\'.repeat(999),
        "' OR 1=1 --",
        '"; DROP TABLE authors; --',
        'a\0b',
        '\ud800',
        '🎈'.repeat(500),
        '[a-z]*(',
        '$1',
        '?',
        '\u202e',
        'İ'.repeat(900),
      ]
      return add(
        draft,
        `${field}[${dice.pick(['contains', 'icontains', 'starts_with', 'iends_with', 'ne', 'gt'])}]`,
        dice.pick(bombs) ?? '%',
      )
    },
  },
]
