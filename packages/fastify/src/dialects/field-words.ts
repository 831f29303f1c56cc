import { type ListOperator, listOf, QueryError, type QueryPair, shown } from '@strongroom/contract'
import type { DialectSetting } from './dialect.ts'

/** What stands behind a field's name: `age_gte`. Those for text do not mind case, as in json-server. */
const endings: Readonly<Record<string, ListOperator>> = {
  eq: 'eq',
  ne: 'ne',
  neq: 'ne',
  lt: 'lt',
  lte: 'lte',
  gt: 'gt',
  gte: 'gte',
  in: 'in',
  like: 'icontains',
  contains: 'icontains',
  startswith: 'istarts_with',
  endswith: 'iends_with',
}

/** A field and how it is compared. */
export interface FieldWord {
  readonly field: string
  readonly operator: ListOperator
}

/** Reads `age_gte` or `age:gte`; undefined where that names no field. A field of the very name is that field. */
export function readFieldWord(name: string, fields: readonly string[]): FieldWord | undefined {
  if (fields.includes(name)) return { field: name, operator: 'eq' }
  const [, field, ending] = /^(\w+)[_:]([a-z]+)$/i.exec(name) ?? []
  if (field === undefined || ending === undefined || !fields.includes(field)) return undefined
  const word = ending.toLowerCase()
  const operator = Object.hasOwn(endings, word) ? endings[word] : undefined
  return operator && { field, operator }
}

/** `age[gte]=18`: the long form is never taken for a parameter. */
export function comparison({ field, operator }: FieldWord, value: string): QueryPair {
  return { name: `${field}[${operator}]`, value }
}

/** One item of `field[in]` or `field[not_in]`. */
export function listItem(text: string): string {
  return text === '' || /[",]/.test(text) ? `"${text.replaceAll(/["\\]/g, '\\$&')}"` : text
}

/** Refuses a search through all fields, which only a field called `q` can stand for. */
export function refuseSearch(): never {
  throw new QueryError('There is no search through all fields, and q is no field. Ask for one field: name_like=li.')
}

/** What is to be read along, under the name that the dialect has for it. */
export function inclusions(parameter: string, names: readonly string[], { includes }: DialectSetting): QueryPair {
  const wanted = names.flatMap((name) => name.split(',')).filter((name) => name !== '')
  const stranger = wanted.find((name) => !includes.includes(name))
  if (stranger !== undefined)
    throw new QueryError(`${shown(stranger)} in ${parameter} is none that there is. ${listOf('There are', includes)}`)
  return { name: 'include', value: wanted.join(',') }
}

/** A page from `start` on; `what` says where it was asked for. */
export function pageOf(what: string, start: number, size: number, { maxLimit }: DialectSetting): QueryPair[] {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(size) || size < 1) throw new QueryError(`${what} is an empty page.`)
  if (size > maxLimit) throw new QueryError(`${what} is a page of ${size} records, and a page may have ${maxLimit}.`)
  return [
    { name: 'offset', value: String(start) },
    { name: 'limit', value: String(size) },
  ]
}

/** Who lists keys without a page wants all of those records. */
export function pageOfKeys(keys: readonly string[], { id, defaultLimit, maxLimit }: DialectSetting): QueryPair[] {
  const count = new Set(keys).size
  if (count <= defaultLimit) return []
  if (count > maxLimit) throw new QueryError(`The query lists ${count} values of ${id}, and a page may have ${maxLimit} records.`)
  return [{ name: 'limit', value: String(count) }]
}
