import { listOf, QueryError, type QueryPair, shown } from '@strongroom/contract'
import type { Dialect, DialectSetting, GivenPair } from './dialect.ts'
import { comparison, inclusions, listItem, pageOf, pageOfKeys, readFieldWord, refuseSearch } from './field-words.ts'

/**
 * What react-admin's `ra-data-simple-rest` sends: `sort=["name","ASC"]&range=[0,9]&filter={"role":"admin","age_gte":18}`, and
 * `embed="owner"`. Its Range header says the same as `range`, and is not needed.
 */
export const simpleRest: Dialect = {
  list: (pairs, setting) => {
    const isOurs = (pair: GivenPair) => isParameter(pair, setting) || (pair.name === 'sort' && pair.value.startsWith('['))
    return translate(pairs, isOurs, setting)
  },
  get: (pairs, setting) => translate(pairs, (pair) => pair.name === 'embed' && isParameter(pair, setting), setting),
}

function isParameter({ name }: QueryPair, { fields }: DialectSetting): boolean {
  return (name === 'range' || name === 'filter' || name === 'embed') && !fields.includes(name)
}

function translate(pairs: readonly GivenPair[], isOurs: (pair: GivenPair) => boolean, setting: DialectSetting): QueryPair[] | undefined {
  const ours = pairs.filter(isOurs)
  if (ours.length === 0) return undefined
  const repeated = ours.find((pair) => ours.some((other) => other !== pair && other.name === pair.name))
  if (repeated) throw new QueryError(`${repeated.name} is given twice.`)
  const paged = ours.some(({ name }) => name === 'range') || pairs.some(({ name }) => name === 'limit')
  return [
    ...pairs.filter((pair) => !isOurs(pair)),
    ...ours.flatMap(({ name, value }) => {
      if (name === 'sort') return [readSort(value, setting)]
      if (name === 'range') return readRange(value, setting)
      if (name === 'embed') return [readEmbed(value, setting)]
      return readFilter(value, paged, setting)
    }),
  ]
}

function readSort(text: string, { fields }: DialectSetting): QueryPair {
  const [field, order, ...rest] = listIn('sort', text)
  const direction = typeof order === 'string' ? order.toLowerCase() : ''
  if (typeof field !== 'string' || rest.length > 0 || (direction !== 'asc' && direction !== 'desc'))
    throw new QueryError(`${shown(text)} is no order. It is written like sort=["name","ASC"].`)
  if (!fields.includes(field)) throw new QueryError(`${shown(field)} in sort is no field. ${listOf('Fields', fields)}`)
  return { name: 'sort', value: direction === 'desc' ? `-${field}` : field }
}

function readRange(text: string, setting: DialectSetting): QueryPair[] {
  const [first, last, ...rest] = listIn('range', text).map((item) => (item instanceof Digits ? Number(item.text) : Number.NaN))
  if (first === undefined || last === undefined || rest.length > 0 || !isPlace(first) || !isPlace(last))
    throw new QueryError(`${shown(text)} is no range. It is written like range=[0,9], and both ends belong to it.`)
  return pageOf('range', first, last - first + 1, setting)
}

function isPlace(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function readEmbed(text: string, setting: DialectSetting): QueryPair {
  const given = parseJson('embed', text)
  const names = Array.isArray(given) ? given : [given]
  if (!names.every((name) => typeof name === 'string')) throw new QueryError('embed is a name or a list of names: embed=["owner"].')
  return inclusions('embed', names, setting)
}

function readFilter(text: string, paged: boolean, setting: DialectSetting): QueryPair[] {
  const filter = parseJson('filter', text)
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter) || filter instanceof Digits)
    throw new QueryError('filter is a JSON object: filter={"role":"admin"}.')
  const comparisons = Object.entries(filter).flatMap(([name, value]) => readComparison(name, value, setting))
  const [, keys] = Object.entries(filter).find(([name]) => name === setting.id) ?? []
  return paged || !Array.isArray(keys)
    ? comparisons
    : [
        ...comparisons,
        ...pageOfKeys(
          keys.map((key) => plain(setting.id, key)),
          setting,
        ),
      ]
}

function readComparison(name: string, value: unknown, { fields }: DialectSetting): QueryPair[] {
  const word = readFieldWord(name, fields)
  if (!word) {
    if (name === 'q') refuseSearch()
    // Our own grammar refuses it by name, and says which fields there are.
    return [{ name: `${name}[eq]`, value: '' }]
  }
  const { field, operator } = word
  const negative = operator === 'ne'
  if (value === null && (operator === 'eq' || negative)) return [{ name: `${field}[is_null]`, value: String(!negative) }]
  if (!Array.isArray(value)) return [comparison(word, plain(name, value))]
  if (operator !== 'eq' && operator !== 'in' && !negative) throw new QueryError(`${shown(name)} in filter is compared with one value.`)
  const items = value.map((item) => listItem(plain(name, item)))
  return [comparison({ field, operator: negative ? 'not_in' : 'in' }, items.join(','))]
}

function plain(name: string, value: unknown): string {
  if (value instanceof Digits) return value.text
  if (typeof value === 'string' || typeof value === 'boolean') return String(value)
  throw new QueryError(`${shown(name)} in filter is compared with a text, a number, true, false, or a list of them.`)
}

/** A JSON number, in the digits that it was written with: reading it as a number might change it. */
class Digits {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** JSON.parse tells the text of each number (ES2025), which TypeScript does not know yet. */
type Reviver = (key: string, value: unknown, context: { readonly source: string }) => unknown

const keepDigits: Reviver = (_key, value, { source }) => (typeof value === 'number' ? new Digits(source) : value)

function parseJson(parameter: string, text: string): unknown {
  try {
    return JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown)
  } catch {
    throw new QueryError(`${parameter} is not JSON: ${shown(text)}.`)
  }
}

function listIn(parameter: string, text: string): readonly unknown[] {
  const list = parseJson(parameter, text)
  return Array.isArray(list) ? list : []
}
