import { parseConditions } from './condition-text.ts'
import { countFilters, type ListCondition, type ListFilter, type ListOperator, listOperators } from './list-condition.ts'
import { listOf, QueryError, type QueryPair, readBoolean, readWholeNumber, shown, splitQuery } from './query-string.ts'

/** The parameters of a list that are no filters. A field of the same name is reached as `limit[eq]`. */
export const listParameters = [
  'and',
  'or',
  'not',
  'sort',
  'limit',
  'offset',
  'skip',
  'after',
  'before',
  'fields',
  'include',
  'include_deleted',
  'count',
] as const

export interface ListSort {
  readonly field: string
  readonly descending: boolean
}

/** A list's query, understood as far as that is possible without the fields' types. */
export interface ListQuery {
  /** All of them must hold. */
  readonly conditions: readonly ListCondition[]
  /** First the most important. */
  readonly sort: readonly ListSort[]
  readonly limit: number
  readonly offset: number
  /** A cursor: the page begins right after it. */
  readonly after: string | undefined
  /** A cursor: the page ends right before it. */
  readonly before: string | undefined
  /** The fields to answer; undefined stands for all. */
  readonly fields: readonly string[] | undefined
  /** What to read along. */
  readonly include: readonly string[]
  readonly includeDeleted: boolean
  /** Whether the answer says how many records there are. */
  readonly count: 'exact' | 'none'
}

/** What a list's query is read against. */
export interface ListQueryOptions {
  /** The fields that the caller may ask for. */
  readonly fields: readonly string[]
  /** The names that can be included. */
  readonly includes: readonly string[]
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
 * const query = parseListQuery('age[gte]=18&sort=-age', { fields: ['id', 'age'], includes: [], defaultLimit: 50, maxLimit: 100 })
 * query.conditions // [{ type: 'filter', field: 'age', operator: 'gte', values: ['18'] }]
 * query.sort // [{ field: 'age', descending: true }]
 */
export function parseListQuery(raw: string, options: ListQueryOptions): ListQuery {
  const { conditions, parameters } = readConditions(raw, listParameters, options.fields)
  return { conditions, ...readProjection(parameters, options), ...readPage(parameters, options) }
}

/** What `GET /users/aggregate` asks for. */
export interface AggregateQuery {
  readonly conditions: readonly ListCondition[]
  readonly groupBy: readonly string[]
  /** `count`, or a function of a field: `avg:age`. */
  readonly measures: readonly string[]
  /** The most groups to answer. */
  readonly limit: number
  readonly includeDeleted: boolean
}

/** The parameters of an aggregate that are no filters. */
export const aggregateParameters = ['and', 'or', 'not', 'group_by', 'measures', 'limit', 'include_deleted'] as const

/** Groups that an aggregate answers at most. */
const mostGroups = 1000

/**
 * Reads the query of an aggregate: `?group_by=role&measures=count,avg:age&age[gte]=18`.
 *
 * @throws QueryError that names what is wrong and says what exists
 */
export function parseAggregateQuery(raw: string, fields: readonly string[]): AggregateQuery {
  const { conditions, parameters } = readConditions(raw, aggregateParameters, fields)
  const measures = (parameters.get('measures') ?? ['count']).flatMap((text) => text.split(',')).filter((text) => text !== '')
  return {
    conditions,
    groupBy: readNames('group_by', parameters.get('group_by') ?? [], fields),
    measures,
    limit: readLimit(once(parameters, 'limit'), { defaultLimit: mostGroups, maxLimit: mostGroups }),
    includeDeleted: readFlag('include_deleted', once(parameters, 'include_deleted')),
  }
}

interface ReadConditions {
  readonly conditions: readonly ListCondition[]
  readonly parameters: ReadonlyMap<string, readonly string[]>
}

function readConditions(raw: string, known: readonly string[], fields: readonly string[]): ReadConditions {
  const filters = new Map<string, CollectedFilter>()
  const parameters = new Map<string, string[]>()
  for (const pair of splitQuery(raw)) {
    if (known.includes(pair.name)) append(parameters, pair)
    else collectFilter(filters, pair, known, fields)
  }
  const conditions = [...[...filters.values()].map(finishFilter), ...readGroups(parameters, fields)]
  const branches = countFilters(conditions)
  if (branches > mostBranches) throw new QueryError(`The query has ${branches} conditions, and may have ${mostBranches}.`)
  return { conditions, parameters }
}

function readGroups(parameters: ReadonlyMap<string, readonly string[]>, fields: readonly string[]): ListCondition[] {
  return (['and', 'or', 'not'] as const).flatMap((name) =>
    (parameters.get(name) ?? []).map((text): ListCondition => {
      const parts = parseConditions(name, text, fields)
      for (const part of parts) checkListsIn(part)
      return name === 'not' ? { type: 'not', part: { type: 'and', parts } } : { type: name, parts }
    }),
  )
}

function checkListsIn(condition: ListCondition): void {
  if (condition.type === 'filter') checkListed(condition.field, condition.values)
  else for (const part of condition.type === 'not' ? [condition.part] : condition.parts) checkListsIn(part)
}

function readProjection(
  parameters: ReadonlyMap<string, readonly string[]>,
  { fields, includes }: ListQueryOptions,
): Pick<ListQuery, 'fields' | 'include'> {
  const names = parameters.get('fields')
  return {
    fields: names && readNames('fields', names, fields),
    include: readNames('include', parameters.get('include') ?? [], includes),
  }
}

/** Reads a list of names out of a parameter, each of them known. Throws QueryError. */
export function readNames(parameter: string, texts: readonly string[], known: readonly string[]): string[] {
  const names = texts.flatMap((text) => text.split(',')).filter((name) => name !== '')
  const stranger = names.find((name) => !known.includes(name))
  if (stranger !== undefined)
    throw new QueryError(`${shown(stranger)} in ${parameter} is none that there is. ${listOf('There are', known)}`)
  if (parameter === 'fields' && names.length === 0) throw new QueryError(`fields names at least one field. ${listOf('Fields', known)}`)
  return [...new Set(names)]
}

function readPage(
  parameters: ReadonlyMap<string, readonly string[]>,
  options: ListQueryOptions,
): Omit<ListQuery, 'conditions' | 'fields' | 'include'> {
  const after = once(parameters, 'after')
  const before = once(parameters, 'before')
  const offset = readOffset(once(parameters, 'offset'), once(parameters, 'skip'))
  if ([after, before, offset || undefined].filter((start) => start !== undefined).length > 1) {
    throw new QueryError('A page starts at an offset, after a cursor or before one; give one of them.')
  }
  return {
    sort: readSort(parameters.get('sort') ?? [], options.fields),
    limit: readLimit(once(parameters, 'limit'), options),
    offset,
    after,
    before,
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

function collectFilter(
  filters: Map<string, CollectedFilter>,
  { name, value }: QueryPair,
  parameters: readonly string[],
  fields: readonly string[],
): void {
  const { field, operator } = splitKey(name, parameters, fields)
  const key = `${field}[${operator}]`
  const known = filters.get(key)
  if (known && !repeatable.has(operator)) throw new QueryError(`${key} is given twice.`)
  if (known) known.texts.push(value)
  else filters.set(key, { field, operator, texts: [value] })
}

/** A plain key twice means in, and so does its long form. */
const repeatable = new Set<ListOperator>(['eq', 'in', 'not_in'])

function splitKey(name: string, parameters: readonly string[], fields: readonly string[]): { field: string; operator: ListOperator } {
  const bracket = name.indexOf('[')
  const field = bracket < 0 ? name : name.slice(0, bracket)
  if (!fields.includes(field)) throw unknownName(name, field, bracket >= 0, parameters, fields)
  if (bracket < 0) return { field, operator: 'eq' }
  const word = name.endsWith(']') ? name.slice(bracket + 1, -1) : name.slice(bracket)
  const operator = listOperators.find((candidate) => candidate === word)
  if (operator === undefined) throw new QueryError(`${shown(word)} in ${field} is no operator. ${listOf('Operators', listOperators)}`)
  return { field, operator }
}

function unknownName(name: string, field: string, isFilter: boolean, parameters: readonly string[], fields: readonly string[]): QueryError {
  if (isFilter) return new QueryError(`There is no field ${shown(field)}. ${listOf('Fields', fields)}`)
  return new QueryError(`There is no parameter or field ${shown(name)}. ${listOf('Parameters', parameters)} ${listOf('Fields', fields)}`)
}

function finishFilter({ field, operator, texts }: CollectedFilter): ListFilter {
  if (operator === 'in' || operator === 'not_in')
    return { type: 'filter', field, operator, values: checkListed(field, texts.flatMap(splitList)) }
  if (texts.length > 1) return { type: 'filter', field, operator: 'in', values: checkListed(field, texts) }
  return { type: 'filter', field, operator, values: texts }
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

function readLimit(text: string | undefined, { defaultLimit, maxLimit }: Pick<ListQueryOptions, 'defaultLimit' | 'maxLimit'>): number {
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
