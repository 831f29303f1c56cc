import { parseConditions } from './condition-text.ts'
import { countFilters, type ListCondition, type ListFilter, type ListOperator, listOperators } from './list-condition.ts'
import { listOf, QueryError, type QueryPair, shown, splitQuery } from './query-string.ts'

/** Conditions that one query may have: each is a branch of the statement's condition. */
const mostBranches = 50

/** Values that one `in` or `not_in` may list. */
const mostListed = 1000

/** A query, its filters apart from its other parameters. */
export interface FilterQuery {
  readonly conditions: readonly ListCondition[]
  readonly parameters: ReadonlyMap<string, readonly string[]>
}

/**
 * Reads the filters of a query.
 *
 * @param known the parameters that are no filters
 * @throws QueryError that names what is wrong and says what exists
 */
export function readFilterQuery(raw: string, known: readonly string[], fields: readonly string[]): FilterQuery {
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
