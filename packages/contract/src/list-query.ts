import { readFilterQuery } from './filter-query.ts'
import type { ListCondition } from './list-condition.ts'
import { once, type Parameters, readFlag, readLimit, readNames } from './query-parameters.ts'
import { listOf, QueryError, readWholeNumber, shown } from './query-string.ts'

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
  'at',
] as const

/** The most records that point to those of an answer and are read along under one name of `include`: the whole page is held in memory. */
export const mostIncludedRecords = 10_000

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
  /** An instant of the past, as text. */
  readonly at: string | undefined
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
  const { conditions, parameters } = readFilterQuery(raw, listParameters, options.fields)
  return { conditions, ...readProjection(parameters, options), ...readPage(parameters, options) }
}

function readProjection(parameters: Parameters, options: ListQueryOptions): Pick<ListQuery, 'fields' | 'include'> {
  const { fields } = options
  const [names, include] = [parameters.get('fields'), parameters.get('include')]
  return {
    fields: names && readNames('fields', names, fields),
    // What can be included may have to be looked up.
    include: include ? readNames('include', include, options.includes) : [],
  }
}

function readPage(parameters: Parameters, options: ListQueryOptions): Omit<ListQuery, 'conditions' | 'fields' | 'include'> {
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
    at: once(parameters, 'at'),
  }
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

function readOffset(offset: string | undefined, skip: string | undefined): number {
  if (offset !== undefined && skip !== undefined) throw new QueryError('offset and skip are two names of one parameter; give one of them.')
  const text = offset ?? skip
  if (text === undefined) return 0
  const value = readWholeNumber(text, 0, Number.MAX_SAFE_INTEGER)
  if (value === undefined) throw new QueryError(`${offset === undefined ? 'skip' : 'offset'} is a whole number from 0 on.`)
  return value
}

function readCount(text: string | undefined): 'exact' | 'none' {
  if (text === undefined || text === 'exact') return 'exact'
  if (text === 'none') return 'none'
  throw new QueryError('count is exact or none.')
}
