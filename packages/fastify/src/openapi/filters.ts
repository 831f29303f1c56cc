import {
  aggregateParameters,
  bulkParameters,
  type ListOperator,
  listOperators,
  listParameters,
  type Route,
  type WireSchema,
} from '@strongroom/contract'
import type { AnyModel, Field } from '@strongroom/core'
import { visibleFields } from '../query.ts'
import { exampleOf } from './example-value.ts'
import type { Shelf } from './shelf.ts'
import { type Json, plain } from './source.ts'

/** How fields are compared, for people. */
export const filterSentence =
  'Conditions are `field=value` and `field[operator]=value`, all of which must hold. A plain key several times means any of the values.'

/** Parameters that are no filters take their name from a field, which is then asked with an operator. */
const reservedNames: Readonly<Record<string, readonly string[]>> = {
  list: listParameters,
  aggregate: aggregateParameters,
  patchMany: bulkParameters,
  deleteMany: [...bulkParameters, 'purge'],
}

/** A parameter for each field that can be compared, and after them one for each comparison. */
export function filterParameters(shelf: Shelf, component: string, model: AnyModel, route: Route): Json[] {
  const fields = visibleFields(model)
  const reserved = reservedNames[route.operation] ?? []
  const share = (field: Field, operator: ListOperator | undefined): Json => {
    const name = operator === undefined ? field.name : `${field.name}.${operator}`
    return shelf.share('parameters', `${component}.${name}`, parameter(field, operator))
  }
  return [
    ...fields.filter(({ kind, name }) => kind !== 'json' && !reserved.includes(name)).map((field) => share(field, undefined)),
    ...fields.flatMap((field) => listOperators.filter((operator) => fits(field, operator)).map((operator) => share(field, operator))),
  ]
}

const textOperators = new Set<ListOperator>(['contains', 'starts_with', 'ends_with', 'icontains', 'istarts_with', 'iends_with'])

function fits({ kind }: Field, operator: ListOperator): boolean {
  if (operator === 'is_null') return true
  return kind !== 'json' && (kind === 'text' || !textOperators.has(operator))
}

const meanings: Readonly<Record<ListOperator, string>> = {
  eq: 'is the value, or one of several',
  ne: 'differs from the value, which null does too',
  lt: 'is less',
  lte: 'is less or equal',
  gt: 'is greater',
  gte: 'is greater or equal',
  in: 'is one of the values; one with a comma stands in double quotes',
  not_in: 'is none of the values, which null is not either; one with a comma stands in double quotes',
  contains: 'holds the text, in exactly these letters',
  starts_with: 'begins with the text, in exactly these letters',
  ends_with: 'ends with the text, in exactly these letters',
  icontains: 'holds the text, upper and lower case alike',
  istarts_with: 'begins with the text, upper and lower case alike',
  iends_with: 'ends with the text, upper and lower case alike',
  is_null: 'is empty (true) or not (false)',
}

function parameter(field: Field, operator: ListOperator | undefined): Json {
  const { name } = field
  const frame = {
    name: operator === undefined ? name : `${name}[${operator}]`,
    in: 'query',
    description: `Records whose ${name} ${meanings[operator ?? 'eq']}.`,
  }
  if (operator === 'is_null') return { ...frame, schema: { type: 'boolean' }, example: true }
  const items = valueSchema(field)
  const value = exampleOf(field)
  if (operator === undefined || operator === 'eq') return { ...frame, style: 'form', explode: true, ...listOf(items, value) }
  if (operator === 'in' || operator === 'not_in') return { ...frame, style: 'form', explode: false, ...listOf(items, value, 1000) }
  return { ...frame, schema: items, ...(value !== undefined && { example: value }) }
}

/** A value with a comma would be two. */
function listOf(items: WireSchema, value: unknown, maxItems?: number): Json {
  const example = value === undefined || String(value).includes(',') ? {} : { example: [value] }
  return { schema: { type: 'array', ...(maxItems !== undefined && { maxItems }), items }, ...example }
}

/** What a field can be compared with: any value of its kind, whether or not the field may hold it. */
function valueSchema({ kind, schema }: Field): WireSchema {
  switch (kind) {
    case 'text':
      return { type: 'string' }
    case 'integer':
      return { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }
    case 'number':
      return { type: 'number' }
    case 'boolean':
      return { type: 'boolean' }
    default: {
      const { title: _title, description: _description, examples: _examples, ...rest } = plain(schema)
      return rest
    }
  }
}
