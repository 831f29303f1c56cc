import type { AnyModel } from '../model/model.ts'
import { allOf, equals, everything, type Filter } from './filter.ts'
import type { SortKey } from './order.ts'

/** One stretch of an order that an index can walk from its start: a condition, and what is left to sort by. */
export interface Seek {
  readonly filter: Filter
  readonly order: readonly SortKey[]
}

/** The same order from its other end. */
export function reversed(keys: readonly SortKey[]): SortKey[] {
  return keys.map((key) => ({ ...key, descending: !key.descending }))
}

/**
 * Cuts what comes after a place in an order into stretches, one after the other: those that share the most sort fields with the
 * place come first. One condition over all of them (with OR, or by row values) would walk the index from its very start.
 */
export function seeksAfter(model: AnyModel, keys: readonly SortKey[], place: readonly unknown[]): Seek[] {
  const seeks: Seek[] = []
  for (let level = keys.length - 1; level >= 0; level--) {
    const key = keys[level]
    if (!key) continue
    const shared = keys.slice(0, level).map(({ field }, index) => equals(field, place[index]))
    for (const beyond of beyondValue(model, key, place[level])) {
      seeks.push({ filter: allOf(...shared, beyond.filter), order: [...beyond.order, ...keys.slice(level + 1)] })
    }
  }
  return seeks
}

/** The whole order in stretches: a nullable first field is walked apart from its nulls, which indexes keep at their other end. */
export function seeksFromStart(model: AnyModel, keys: readonly SortKey[]): Seek[] {
  const [first, ...rest] = keys
  if (!first || !model.fieldsByName.get(first.field)?.nullable) return [{ filter: everything, order: keys }]
  const values: Seek = { filter: isNull(first.field, true), order: [{ ...first, nullFree: true }, ...rest] }
  const nulls: Seek = { filter: isNull(first.field, false), order: rest }
  return first.descending ? [nulls, values] : [values, nulls]
}

/** What one field has beyond a value; null sorts as the largest. */
function beyondValue(model: AnyModel, key: SortKey, value: unknown): Seek[] {
  const nullable = model.fieldsByName.get(key.field)?.nullable ?? false
  const nullFree = { ...key, nullFree: true }
  if (value === null) return key.descending ? [{ filter: isNull(key.field, true), order: [nullFree] }] : []
  const filter: Filter = { type: 'compare', field: key.field, comparison: key.descending ? 'lt' : 'gt', value }
  const values: Seek = { filter, order: [nullFree] }
  return nullable && !key.descending ? [values, { filter: isNull(key.field, false), order: [] }] : [values]
}

function isNull(field: string, negated: boolean): Filter {
  return { type: 'null', field, negated }
}
