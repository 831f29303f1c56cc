import { listOf, QueryError, type QueryPair, readBoolean, readWholeNumber, shown, splitQuery } from './query-string.ts'

/** How a field is compared in a list's query: `age[gte]=18`. */
export const listOperators = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'not_in', 'is_null'] as const

/** One of `listOperators`. */
export type ListOperator = (typeof listOperators)[number]

/** The parameters of a list that are no filters. A field of the same name is reached as `limit[eq]`. */
export const listParameters = ['sort', 'limit', 'offset', 'skip', 'include_deleted', 'count'] as const

/** One condition of a list's query, its values still text. */
export interface ListFilter {
  readonly field: string
  readonly operator: ListOperator
  /** One value; any number of them for `in` and `not_in`. */
  readonly values: readonly string[]
}

export interface ListSort {
  readonly field: string
  readonly descending: boolean
}

/** A list's query, understood as far as that is possible without the fields' types. */
export interface ListQuery {
  /** All of them must hold. */
  readonly filters: readonly ListFilter[]
  /** First the most important. */
  readonly sort: readonly ListSort[]
  readonly limit: number
  readonly offset: number
  readonly includeDeleted: boolean
  /** Whether the answer says how many records there are. */
  readonly count: 'exact' | 'none'
}

/** What a list's query is read against. */
export interface ListQueryOptions {
  /** The fields that the caller may ask for. */
  readonly fields: readonly string[]
  /** Records on a page where the query does not say. */
  readonly defaultLimit: number
  /** The most records on a page. */
  readonly maxLimit: number
}

/** Conditions that one query may have: each is a branch of the statement's condition. */
const mostBranches = 50

/** Values that one `in` or `not_in` may list. */
const mostListed = 1000

/**
 * Reads the query of a list: `?role=admin&age[gte]=18&sort=-age,name&limit=20`.
 *
 * @param raw what stands after the `?`, as it came
 * @throws QueryError that names what is wrong and says what exists
 * @example
 * parseListQuery('age[gte]=18&sort=-age', { fields: ['id', 'age'], defaultLimit: 50, maxLimit: 100 })
 * // { filters: [{ field: 'age', operator: 'gte', values: ['18'] }], sort: [{ field: 'age', descending: true }],
 * //   limit: 50, offset: 0, includeDeleted: false, count: 'exact' }
 */
export function parseListQuery(raw: string, options: ListQueryOptions): ListQuery {
  const filters = new Map<string, CollectedFilter>()
  const parameters = new Map<string, string[]>()
  for (const pair of splitQuery(raw)) {
    if ((listParameters as readonly string[]).includes(pair.name)) append(parameters, pair)
    else collectFilter(filters, pair, options.fields)
  }
  if (filters.size > mostBranches) throw new QueryError(`The query has ${filters.size} conditions, and may have ${mostBranches}.`)
  return {
    filters: [...filters.values()].map(finishFilter),
    sort: readSort(parameters.get('sort') ?? [], options.fields),
    limit: readLimit(once(parameters, 'limit'), options),
    offset: readOffset(once(parameters, 'offset'), once(parameters, 'skip')),
    includeDeleted: readFlag('include_deleted', once(parameters, 'include_deleted')),
    count: readCount(once(parameters, 'count')),
  }
}

interface CollectedFilter {
  readonly field: string
  readonly operator: ListOperator
  readonly texts: string[]
}

function append(parameters: Map<string, string[]>, { name, value }: QueryPair): void {
  const values = parameters.get(name)
  if (values) values.push(value)
  else parameters.set(name, [value])
}

function collectFilter(filters: Map<string, CollectedFilter>, { name, value }: QueryPair, fields: readonly string[]): void {
  const { field, operator } = splitKey(name, fields)
  const key = `${field}[${operator}]`
  const known = filters.get(key)
  if (known && !repeatable.has(operator)) throw new QueryError(`${key} is given twice.`)
  if (known) known.texts.push(value)
  else filters.set(key, { field, operator, texts: [value] })
}

/** A plain key twice means in, and so does its long form. */
const repeatable = new Set<ListOperator>(['eq', 'in', 'not_in'])

function splitKey(name: string, fields: readonly string[]): { field: string; operator: ListOperator } {
  const bracket = name.indexOf('[')
  const field = bracket < 0 ? name : name.slice(0, bracket)
  if (!fields.includes(field)) throw unknownName(name, field, bracket >= 0, fields)
  if (bracket < 0) return { field, operator: 'eq' }
  const word = name.endsWith(']') ? name.slice(bracket + 1, -1) : name.slice(bracket)
  const operator = listOperators.find((candidate) => candidate === word)
  if (operator === undefined) throw new QueryError(`${shown(word)} in ${field} is no operator. ${listOf('Operators', listOperators)}`)
  return { field, operator }
}

function unknownName(name: string, field: string, isFilter: boolean, fields: readonly string[]): QueryError {
  if (isFilter) return new QueryError(`There is no field ${shown(field)}. ${listOf('Fields', fields)}`)
  return new QueryError(`There is no parameter or field ${shown(name)}. ${listOf('Parameters', listParameters)} ${listOf('Fields', fields)}`)
}

function finishFilter({ field, operator, texts }: CollectedFilter): ListFilter {
  if (operator === 'in' || operator === 'not_in') return { field, operator, values: checkListed(field, texts.flatMap(splitList)) }
  if (texts.length > 1) return { field, operator: 'in', values: checkListed(field, texts) }
  return { field, operator, values: texts }
}

function checkListed(field: string, values: readonly string[]): readonly string[] {
  if (values.length > mostListed) throw new QueryError(`${field} is compared with ${values.length} values, and may be with ${mostListed}.`)
  return values
}

/**
 * Splits `1,2,3` at its commas. An item in double quotes may hold commas, `\"` and `\\`; nothing at all is the empty list,
 * and `""` the empty text.
 */
export function splitList(text: string): string[] {
  if (text === '') return []
  if (!text.includes('"')) return text.split(',')
  const items: string[] = []
  const item = /(?:"((?:[^"\\]|\\.)*)"|([^,"][^,]*|))(,|$)/sy
  for (let ended = false; !ended; ) {
    const found = item.exec(text)
    if (!found) throw new QueryError(`${shown(text)} is no list: put double quotes around a whole item, and \\ before one inside it.`)
    items.push(found[1] === undefined ? (found[2] ?? '') : found[1].replaceAll(/\\(.)/gs, '$1'))
    ended = found[3] === ''
  }
  return items
}

function once(parameters: ReadonlyMap<string, readonly string[]>, name: string): string | undefined {
  const values = parameters.get(name)
  if (values && values.length > 1) throw new QueryError(`${name} is given twice.`)
  return values?.[0]
}

function readSort(texts: readonly string[], fields: readonly string[]): ListSort[] {
  const terms = texts.flatMap((text) => text.split(',')).filter((term) => term !== '')
  return terms.map((term) => {
    const descending = term.startsWith('-')
    const field = descending ? term.slice(1) : term
    if (!fields.includes(field)) throw new QueryError(`${shown(field)} in sort is no field. ${listOf('Fields', fields)}`)
    return { field, descending }
  })
}

function readLimit(text: string | undefined, { defaultLimit, maxLimit }: ListQueryOptions): number {
  if (text === undefined) return defaultLimit
  const limit = readWholeNumber(text, 1, maxLimit)
  if (limit === undefined) throw new QueryError(`limit is a whole number from 1 to ${maxLimit}.`)
  return limit
}

function readOffset(offset: string | undefined, skip: string | undefined): number {
  if (offset !== undefined && skip !== undefined) throw new QueryError('offset and skip are two names of one parameter; give one of them.')
  const text = offset ?? skip
  if (text === undefined) return 0
  const value = readWholeNumber(text, 0, Number.MAX_SAFE_INTEGER)
  if (value === undefined) throw new QueryError(`${offset === undefined ? 'skip' : 'offset'} is a whole number from 0 on.`)
  return value
}

/** Reads a parameter that is true or false, and false where it is not given. */
export function readFlag(name: string, text: string | undefined): boolean {
  if (text === undefined) return false
  const flag = readBoolean(text)
  if (flag === undefined) throw new QueryError(`${name} is true or false.`)
  return flag
}

function readCount(text: string | undefined): 'exact' | 'none' {
  if (text === undefined || text === 'exact') return 'exact'
  if (text === 'none') return 'none'
  throw new QueryError('count is exact or none.')
}
