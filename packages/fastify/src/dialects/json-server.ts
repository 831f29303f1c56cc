import { QueryError, type QueryPair, readWholeNumber, shown } from '@strongroom/contract'
import type { Dialect, DialectSetting, GivenPair } from './dialect.ts'
import { comparison, inclusions, listItem, pageOf, pageOfKeys, readFieldWord, refuseSearch } from './field-words.ts'

const pageNames = ['_start', '_end', '_page', '_limit', '_per_page'] as const
const orderNames = ['_sort', '_order'] as const
const embedNames = ['_embed', '_expand'] as const

/** No field begins with an underline, so that none is ever mistaken for these. */
const names: ReadonlySet<string> = new Set([...pageNames, ...orderNames, ...embedNames])

/** Records on a page of json-server where only its number is given. */
const usualPage = 10

/**
 * What json-server's clients send, `ra-data-json-server` and `@refinedev/simple-rest` among them:
 * `_sort=name,age&_order=asc,desc&_start=0&_end=10&age_gte=18&name_like=li&id=1&id=2`; `_page`, `_limit`, `_embed` and `_expand`,
 * and json-server 1.x's `_sort=-age`, `_per_page` and `age:gte`.
 */
export const jsonServer: Dialect = {
  list: (pairs, setting) => {
    const given = wordsIn(pairs, names)
    const filters = pairs.filter(({ name }) => !names.has(name))
    const translated = filters.map((pair) => readFilter(pair, given.size > 0, setting))
    const keys = keysIn(pairs, given, setting)
    if (given.size === 0 && keys.length === 0 && translated.every((pair, index) => pair === filters[index])) return undefined
    return [...joinUnequal(translated), ...keys, ...readOrder(given), ...readPage(given, setting), ...readEmbeds(given, setting)]
  },
  get: (pairs, setting) => {
    const given = wordsIn(pairs, new Set(embedNames))
    if (given.size === 0) return undefined
    return [...pairs.filter(({ name }) => !given.has(name)), ...readEmbeds(given, setting)]
  },
}

type Words = ReadonlyMap<string, readonly string[]>

function wordsIn(pairs: readonly GivenPair[], wanted: ReadonlySet<string>): Words {
  const words = new Map<string, string[]>()
  for (const { name, value } of pairs) if (wanted.has(name)) words.set(name, [...(words.get(name) ?? []), value])
  return words
}

function once(given: Words, name: string): string | undefined {
  const values = given.get(name)
  if (values && values.length > 1) throw new QueryError(`${name} is given twice.`)
  return values?.[0]
}

/** Answers the pair itself where there is nothing to translate. */
function readFilter(pair: GivenPair, inDialect: boolean, { fields }: DialectSetting): QueryPair {
  const { name, value, bare } = pair
  const word = readFieldWord(name, fields)
  if (!word) return name === 'q' ? refuseSearch() : pair
  // Clients write null as a name alone, which in our own words is the empty text.
  if (bare && inDialect && (word.operator === 'eq' || word.operator === 'ne'))
    return comparison({ field: word.field, operator: 'is_null' }, String(word.operator === 'eq'))
  return word.field === name ? pair : comparison(word, value)
}

/** A field that differs from several values differs from each of them. */
function joinUnequal(pairs: readonly QueryPair[]): QueryPair[] {
  const isUnequal = ({ name }: QueryPair) => name.endsWith('[ne]')
  return pairs.map((pair) => {
    const several = isUnequal(pair) && pairs.some((other) => other !== pair && other.name === pair.name)
    return several ? { name: pair.name.replace(/ne\]$/, 'not_in]'), value: listItem(pair.value) } : pair
  })
}

function keysIn(pairs: readonly GivenPair[], given: Words, setting: DialectSetting): QueryPair[] {
  const paged = pageNames.some((name) => given.has(name)) || pairs.some(({ name }) => name === 'limit')
  return paged
    ? []
    : pageOfKeys(
        pairs.filter(({ name }) => name === setting.id).map(({ value }) => value),
        setting,
      )
}

function readOrder(given: Words): QueryPair[] {
  const fields = (once(given, '_sort') ?? '').split(',').filter((field) => field !== '')
  const directions = (once(given, '_order') ?? '').toLowerCase().split(',')
  const stranger = directions.find((direction) => !['', 'asc', 'desc'].includes(direction))
  if (stranger !== undefined) throw new QueryError(`${shown(stranger)} in _order is no direction. There are asc and desc.`)
  if (fields.length === 0) return []
  return [{ name: 'sort', value: fields.map((field, index) => (directions[index] === 'desc' ? `-${field}` : field)).join(',') }]
}

function readPage(given: Words, setting: DialectSetting): QueryPair[] {
  const what = pageNames.filter((name) => given.has(name)).join(' and ')
  if (what === '') return []
  const number = (name: string, least: number): number | undefined => {
    const text = once(given, name)
    const value = text === undefined ? undefined : readWholeNumber(text, least, Number.MAX_SAFE_INTEGER)
    if (text !== undefined && value === undefined) throw new QueryError(`${name} is a whole number from ${least} on.`)
    return value
  }
  const [start, end, page] = [number('_start', 0), number('_end', 0), number('_page', 1)]
  const size = number('_limit', 1) ?? number('_per_page', 1)
  const contradicts =
    (page !== undefined && (start ?? end) !== undefined) ||
    (end !== undefined && size !== undefined) ||
    (given.has('_limit') && given.has('_per_page'))
  if (contradicts) throw new QueryError(`${what} say more than one page.`)
  if (page !== undefined) return pageOf(what, (page - 1) * (size ?? usualPage), size ?? usualPage, setting)
  if (end !== undefined) return pageOf(what, start ?? 0, end - (start ?? 0), setting)
  return pageOf(what, start ?? 0, size ?? setting.defaultLimit, setting)
}

function readEmbeds(given: Words, setting: DialectSetting): QueryPair[] {
  return embedNames.flatMap((name) => {
    const wanted = given.get(name)
    return wanted === undefined ? [] : [inclusions(name, wanted, setting)]
  })
}
