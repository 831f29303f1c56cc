import { InvalidQueryError } from '../errors.ts'
import type { AnyModel, Field } from '../model/model.ts'
import { isPlainObject } from '../model/plain-object.ts'
import type { RowOf } from '../model/row-types.ts'
import { describe, isComparable, isText, kindNames } from './comparable.ts'
import { allOf, type Comparison, equals, everything, type Filter, type TextMatch } from './filter.ts'

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
  /** Text only, case-sensitive; `%` and `_` are themselves. */
  readonly contains?: Extract<Value, string>
  readonly startsWith?: Extract<Value, string>
  readonly endsWith?: Extract<Value, string>
  /** Text only; case does not matter (Unicode's simple case folding, the same on every engine). */
  readonly icontains?: Extract<Value, string>
  readonly istartsWith?: Extract<Value, string>
  readonly iendsWith?: Extract<Value, string>
}

/** A condition on a model's records: fields with values or comparisons, all of which must hold. */
export type Where<Model extends AnyModel> = {
  readonly [Name in keyof RowOf<Model>]?: RowOf<Model>[Name] | FieldConditions<RowOf<Model>[Name]>
} & {
  /** All of these must hold. */
  readonly and?: readonly Where<Model>[]
  /** At least one of these must hold. */
  readonly or?: readonly Where<Model>[]
  /** This must not hold. */
  readonly not?: Where<Model>
}

const comparisons = new Set<string>(['eq', 'ne', 'lt', 'lte', 'gt', 'gte'])
const textMatches: Readonly<Record<string, { readonly match: TextMatch; readonly folded: boolean }>> = {
  contains: { match: 'contains', folded: false },
  startsWith: { match: 'startsWith', folded: false },
  endsWith: { match: 'endsWith', folded: false },
  icontains: { match: 'contains', folded: true },
  istartsWith: { match: 'startsWith', folded: true },
  iendsWith: { match: 'endsWith', folded: true },
}
const conditionNames = [...comparisons, 'in', 'notIn', 'isNull', ...Object.keys(textMatches)]
const unordered = new Set<Field['kind']>(['json'])

/** and, or, not within each other; databases and the stack have an end, at other depths each. */
const deepest = 32

/** Turns a `where` object into a filter. Throws InvalidQueryError for what the model or the language does not have. */
export function parseWhere(model: AnyModel, where: Readonly<Record<string, unknown>> | undefined, depth = 0): Filter {
  if (where === undefined) return everything
  if (depth > deepest) throw new InvalidQueryError(`Conditions are nested more than ${deepest} deep. Say it with fewer and, or, not.`)
  if (!isPlainObject(where)) throw new InvalidQueryError('A where is an object of fields and values, e.g. { role: "admin" }.')
  const parts: Filter[] = []
  for (const [name, condition] of Object.entries(where)) {
    if (condition === undefined) continue
    if (name === 'and' || name === 'or' || name === 'not') {
      parts.push(combination(model, name, condition, depth + 1))
      continue
    }
    const field = filterableField(model, name)
    if (!isPlainObject(condition)) parts.push(comparison(field, 'eq', condition))
    else
      for (const [operator, value] of Object.entries(condition)) if (value !== undefined) parts.push(fieldCondition(field, operator, value))
  }
  return allOf(...parts)
}

function combination(model: AnyModel, name: 'and' | 'or' | 'not', condition: unknown, depth: number): Filter {
  if (name === 'not') return { type: 'not', part: parseWhere(model, asWhere(condition), depth) }
  if (!Array.isArray(condition)) throw new InvalidQueryError(`"${name}" takes a list of conditions.`)
  const parts = condition.map((part) => parseWhere(model, asWhere(part), depth))
  // Queries of URLs say `and` around a single condition, too, which has its own ways to be answered.
  return name === 'and' ? allOf(...parts) : { type: name, parts }
}

function asWhere(condition: unknown): Readonly<Record<string, unknown>> {
  if (isPlainObject(condition)) return condition
  throw new InvalidQueryError('A condition is an object of fields and values, e.g. { role: "admin" }.')
}

/** The field of that name, if it may stand in a filter, sort or group. A secret one answers exactly like an unknown one. */
export function filterableField(model: AnyModel, name: string): Field {
  const field = model.fieldsByName.get(name)
  if (field && !field.hidden && !field.secret) return field
  const known = model.fields.filter((candidate) => !candidate.hidden && !candidate.secret).map((candidate) => candidate.name)
  throw new InvalidQueryError(`${model.name} has no field "${name}". Its fields are ${known.join(', ')}.`)
}

function fieldCondition(field: Field, operator: string, value: unknown): Filter {
  if (comparisons.has(operator)) return comparison(field, operator as Comparison, value)
  if (operator === 'isNull') {
    if (typeof value !== 'boolean') throw new InvalidQueryError(`isNull on ${field.name} takes true or false.`)
    return { type: 'null', field: field.name, negated: !value }
  }
  if (operator === 'in' || operator === 'notIn') return membership(field, operator === 'notIn', value)
  if (Object.hasOwn(textMatches, operator)) return textCondition(field, operator, value)
  throw new InvalidQueryError(`"${operator}" is no comparison for ${field.name}. There are ${conditionNames.join(', ')}.`)
}

function comparison(field: Field, operator: Comparison, value: unknown): Filter {
  if (unordered.has(field.kind)) throw new InvalidQueryError(`${field.name} holds JSON and can only be asked with isNull.`)
  if (value === null) {
    if (operator === 'eq') return equals(field.name, null)
    if (operator === 'ne') return { type: 'null', field: field.name, negated: true }
    throw new InvalidQueryError(`${field.name} cannot be compared with null by ${operator}; use isNull.`)
  }
  return { type: 'compare', field: field.name, comparison: operator, value: comparable(field, value) }
}

function textCondition(field: Field, operator: string, value: unknown): Filter {
  const how = textMatches[operator]
  if (!how || field.kind !== 'text') throw new InvalidQueryError(`${operator} is for text, and ${field.name} is ${kindNames[field.kind]}.`)
  if (!isText(value)) throw new InvalidQueryError(`${operator} on ${field.name} takes text.`)
  // Every text contains the empty one, but null is no text.
  if (value === '') return { type: 'null', field: field.name, negated: true }
  if (how.match === 'startsWith' && !how.folded) return startsWith(field.name, value)
  return { type: 'text', field: field.name, match: how.match, folded: how.folded, value }
}

/** By code points, the texts with a prefix are a range, which an index can answer. */
function startsWith(field: string, prefix: string): Filter {
  const from: Filter = { type: 'compare', field, comparison: 'gte', value: prefix }
  const codePoints = Array.from(prefix, (character) => character.codePointAt(0) ?? 0)
  while (codePoints.at(-1) === 0x10ffff) codePoints.pop()
  const last = codePoints.pop()
  if (last === undefined) return from
  // The code points of surrogates are no characters.
  const end = String.fromCodePoint(...codePoints, last === 0xd7ff ? 0xe000 : last + 1)
  return { type: 'and', parts: [from, { type: 'compare', field, comparison: 'lt', value: end }] }
}

function membership(field: Field, negated: boolean, value: unknown): Filter {
  if (!Array.isArray(value)) throw new InvalidQueryError(`${negated ? 'notIn' : 'in'} on ${field.name} takes a list.`)
  if (unordered.has(field.kind)) throw new InvalidQueryError(`${field.name} holds JSON and can only be asked with isNull.`)
  if (negated && value.length === 0) return everything
  const values = value.filter((item) => item !== null).map((item) => comparable(field, item))
  const list: Filter = { type: 'in', field: field.name, values, negated }
  if (values.length === value.length) return list
  if (values.length === 0) return { type: 'null', field: field.name, negated }
  const nulls: Filter = { type: 'null', field: field.name, negated }
  return { type: negated ? 'and' : 'or', parts: [list, nulls] }
}

function comparable(field: Field, value: unknown): unknown {
  if (!isComparable(field, value)) {
    const what = field.kind === 'text' && typeof value === 'string' ? 'one that has NUL or half of a surrogate pair' : describe(value)
    throw new InvalidQueryError(`${field.name} is ${kindNames[field.kind]}, and cannot be compared with ${what}.`)
  }
  return field.normalise(value)
}
