import type { ListCondition, ListOperator, WireModel } from '@strongroom/contract'
import type { RecordOf, TextOf } from './model-types.ts'

/** The comparisons that one field can be put to. Several in one object must all hold. */
export interface FieldConditions<Value> {
  readonly eq?: Value | null
  /** Null differs from every value, so it is matched too. */
  readonly ne?: Value | null
  readonly lt?: NonNullable<Value>
  readonly lte?: NonNullable<Value>
  readonly gt?: NonNullable<Value>
  readonly gte?: NonNullable<Value>
  readonly in?: readonly (Value | null)[]
  readonly notIn?: readonly (Value | null)[]
  readonly isNull?: boolean
}

/** The comparisons of a field that holds text. */
export interface TextConditions<Value> extends FieldConditions<Value> {
  /** Case-sensitive; `%` and `_` are themselves. */
  readonly contains?: string
  readonly startsWith?: string
  readonly endsWith?: string
  /** Case does not matter. */
  readonly icontains?: string
  readonly istartsWith?: string
  readonly iendsWith?: string
}

/** A condition on records, in the words of the core: fields with values or comparisons, all of which must hold. */
export type Where<Model extends WireModel> = {
  readonly [Name in keyof RecordOf<Model>]?:
    | RecordOf<Model>[Name]
    | (Name extends TextOf<Model> ? TextConditions<RecordOf<Model>[Name]> : FieldConditions<RecordOf<Model>[Name]>)
} & {
  /** All of these must hold. */
  readonly and?: readonly Where<Model>[]
  /** At least one of these must hold; the list is not empty. */
  readonly or?: readonly Where<Model>[]
  /** This must not hold. */
  readonly not?: Where<Model>
}

const operators: Readonly<Record<string, ListOperator>> = {
  eq: 'eq',
  ne: 'ne',
  lt: 'lt',
  lte: 'lte',
  gt: 'gt',
  gte: 'gte',
  contains: 'contains',
  startsWith: 'starts_with',
  endsWith: 'ends_with',
  icontains: 'icontains',
  istartsWith: 'istarts_with',
  iendsWith: 'iends_with',
}

/** A part that always holds, or never, has no form in a query. */
type Part = ListCondition | boolean

/**
 * Turns a `where` into conditions that must all hold.
 *
 * @throws TypeError for an unknown comparison, and for a condition that nothing can hold, such as `{ or: [] }`
 */
export function conditionsOf(where: object | undefined): readonly ListCondition[] {
  const all = where === undefined ? true : allOf(partsOf(where))
  if (all === true) return []
  if (all === false) throw new TypeError('No record can hold this where: an "or" needs a condition, and "not" one that can fail.')
  return all.type === 'and' ? all.parts : [all]
}

function partsOf(where: object): Part[] {
  return Object.entries(where).flatMap(([name, condition]: [string, unknown]): Part[] => {
    if (condition === undefined) return []
    if (name === 'and') return asList(name, condition).map((part) => allOf(partsOf(part)))
    if (name === 'or') return [anyOf(asList(name, condition).map((part) => allOf(partsOf(part))))]
    if (name === 'not') return [negated(allOf(partsOf(asObject(condition))))]
    return isConditions(condition) ? fieldParts(name, condition) : [comparison(name, 'eq', condition)]
  })
}

function fieldParts(field: string, conditions: object): Part[] {
  return Object.entries(conditions).flatMap(([operator, value]) => (value === undefined ? [] : [comparison(field, operator, value)]))
}

function comparison(field: string, operator: string, value: unknown): Part {
  if (operator === 'isNull') return isNull(field, value === true)
  if (operator === 'in' || operator === 'notIn') return membership(field, operator, value)
  if (value === null && operator === 'eq') return isNull(field, true)
  if (value === null && operator === 'ne') return isNull(field, false)
  const known = Object.hasOwn(operators, operator) ? operators[operator] : undefined
  if (known !== undefined && value !== null) return { type: 'filter', field, operator: known, values: [textOf(value)] }
  if (known !== undefined) throw new TypeError(`${field} cannot be compared with null by ${operator}; use isNull.`)
  const names = [...Object.keys(operators), 'in', 'notIn', 'isNull'].join(', ')
  throw new TypeError(`"${operator}" is no comparison for ${field}. There are ${names}.`)
}

/** Null is in no list of a query; it is asked for apart. */
function membership(field: string, operator: 'in' | 'notIn', value: unknown): Part {
  if (!Array.isArray(value)) throw new TypeError(`${operator} on ${field} takes a list.`)
  const values = value.filter((item) => item !== null).map(textOf)
  const negated = operator === 'notIn'
  const list: ListCondition = { type: 'filter', field, operator: negated ? 'not_in' : 'in', values }
  if (values.length === value.length) return list
  if (values.length === 0) return isNull(field, !negated)
  return { type: negated ? 'and' : 'or', parts: [list, isNull(field, !negated)] }
}

function isNull(field: string, wanted: boolean): ListCondition {
  return { type: 'filter', field, operator: 'is_null', values: [String(wanted)] }
}

function allOf(parts: readonly Part[]): Part {
  if (parts.includes(false)) return false
  const real = parts.filter((part) => typeof part !== 'boolean').flatMap((part) => (part.type === 'and' ? part.parts : [part]))
  return joined('and', real) ?? true
}

function anyOf(parts: readonly Part[]): Part {
  if (parts.includes(true)) return true
  return (
    joined(
      'or',
      parts.filter((part) => typeof part !== 'boolean'),
    ) ?? false
  )
}

function joined(type: 'and' | 'or', parts: readonly ListCondition[]): ListCondition | undefined {
  return parts.length > 1 ? { type, parts } : parts[0]
}

function negated(part: Part): Part {
  return typeof part === 'boolean' ? !part : { type: 'not', part }
}

function textOf(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value)
}

function isConditions(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof Date)
}

function asObject(value: unknown): object {
  if (typeof value === 'object' && value !== null) return value
  throw new TypeError('A condition is an object of fields and values, e.g. { role: "admin" }.')
}

function asList(name: string, value: unknown): object[] {
  if (Array.isArray(value)) return value.map(asObject)
  throw new TypeError(`"${name}" takes a list of conditions.`)
}
