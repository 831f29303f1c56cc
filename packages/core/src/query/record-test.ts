import { fold } from '../engine/fold.ts'
import type { AnyModel, Field } from '../model/model.ts'
import type { FieldValues } from './bound-table.ts'
import type { Comparison, Filter } from './filter.ts'
import { valueOrder } from './value-order.ts'

/** Whether a record holds a condition. */
export type RecordTest = (record: FieldValues) => boolean

/**
 * Makes a filter into a question to records in memory, with the same answers as its SQL. What it asks of other tables has to be
 * answered before (`settleLinks`).
 */
export function recordTest(model: AnyModel, filter: Filter): RecordTest {
  switch (filter.type) {
    case 'and': {
      const parts = filter.parts.map((part) => recordTest(model, part))
      return (record) => parts.every((part) => part(record))
    }
    case 'or': {
      const parts = filter.parts.map((part) => recordTest(model, part))
      return (record) => parts.some((part) => part(record))
    }
    case 'not': {
      const part = recordTest(model, filter.part)
      return (record) => !part(record)
    }
    case 'null':
      return ({ [filter.field]: value }) => isNull(value) !== filter.negated
    case 'held':
      return comparison(fieldOf(model, filter.field), 'eq', filter.value)
    case 'compare':
      return comparison(fieldOf(model, filter.field), filter.comparison, filter.value)
    case 'in':
      return membership(fieldOf(model, filter.field), filter)
    case 'text':
      return textMatch(filter)
    default:
      throw new TypeError(`A record in memory cannot be asked for ${filter.type}.`)
  }
}

function fieldOf({ name, fieldsByName }: AnyModel, field: string): Field {
  const found = fieldsByName.get(field)
  if (!found) throw new TypeError(`${name} has no field ${field}.`)
  return found
}

function isNull(value: unknown): boolean {
  return value === null || value === undefined
}

const answers: Readonly<Record<Comparison, (difference: number) => boolean>> = {
  eq: (difference) => difference === 0,
  ne: (difference) => difference !== 0,
  lt: (difference) => difference < 0,
  lte: (difference) => difference <= 0,
  gt: (difference) => difference > 0,
  gte: (difference) => difference >= 0,
}

function comparison(field: Field, kind: Comparison, operand: unknown): RecordTest {
  const order = valueOrder(field)
  const answer = answers[kind]
  // Null differs from every value, and is neither above nor below one.
  return ({ [field.name]: value }) => (isNull(value) ? kind === 'ne' : answer(order(value, operand)))
}

function membership(field: Field, { values, negated }: Extract<Filter, { type: 'in' }>): RecordTest {
  const keys = new Set(values.map((value) => keyOf(value)))
  return ({ [field.name]: value }) => (isNull(value) ? negated : keys.has(keyOf(value)) !== negated)
}

/** The same for two values of a field that are equal, and only for those. */
function keyOf(value: unknown): unknown {
  if (value instanceof Date) return value.getTime()
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}

function textMatch({ field, match, folded, value: part }: Extract<Filter, { type: 'text' }>): RecordTest {
  const wanted = folded ? fold(part) : part
  return ({ [field]: value }) => {
    if (typeof value !== 'string') return false
    const text = folded ? fold(value) : value
    if (match === 'contains') return text.includes(wanted)
    return match === 'startsWith' ? text.startsWith(wanted) : text.endsWith(wanted)
  }
}
