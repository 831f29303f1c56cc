import type { EngineCapabilities } from '../engine/engine.ts'
import type { AnyModel } from '../model/model.ts'
import { allOf, equals, everything, type Filter } from './filter.ts'
import type { SortKey } from './order.ts'

/** Whose order is cut, and where. */
interface SeekTarget {
  readonly model: AnyModel
  readonly engine: { readonly capabilities: Pick<EngineCapabilities, 'countedIdInIndexes'> }
}

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
 * place come first. One condition over all of them (with OR) would walk the index from its very start. The last fields, as far as they
 * go in one direction, are compared in one.
 */
export function seeksAfter({ model, engine }: SeekTarget, keys: readonly SortKey[], place: readonly unknown[]): Seek[] {
  const apart = engine.capabilities.countedIdInIndexes && model.idType === 'integer'
  const end = apart && keys.length > 1 ? keys.length - 1 : keys.length
  const tail = tailOf(model, keys.slice(0, end), place)
  const stretches = [...(end < keys.length ? [{ from: end, to: keys.length }] : []), { from: tail, to: end }]
  for (let level = tail - 1; level >= 0; level--) stretches.push({ from: level, to: level + 1 })
  return stretches.flatMap(({ from, to }) => {
    const shared = keys.slice(0, from).map(({ field }, index) => equals(field, place[index]))
    const inAll = nullsAhead(keys.slice(0, from), place)
    return seeksBeyond(model, keys.slice(from, to), place.slice(from, to)).map(({ filter, order }) => {
      return { filter: allOf(...shared, filter), order: [...inAll, ...order, ...keys.slice(to)] }
    })
  })
}

/** Where the fields begin that one comparison covers: all go in the direction of the last, and none of them has nulls beyond the place. */
function tailOf(model: AnyModel, keys: readonly SortKey[], place: readonly unknown[]): number {
  let start = keys.length - 1
  for (; start > 0; start--) {
    const [before, key] = [keys[start - 1], keys[start]]
    const turns = before?.descending !== key?.descending
    if (!key || turns || place[start - 1] === null || place[start] === null || (isNullable(model, key) && !key.descending)) break
  }
  return start
}

/** The whole order in stretches: a nullable first field is walked apart from its nulls, which indexes keep at their other end. */
export function seeksFromStart(model: AnyModel, keys: readonly SortKey[]): Seek[] {
  const [first, ...rest] = keys
  if (!first || !isNullable(model, first)) return [{ filter: everything, order: keys }]
  const order = [{ ...first, uniform: true }, ...rest]
  const values: Seek = { filter: isNull(first.field, true), order }
  const nulls: Seek = { filter: isNull(first.field, false), order }
  return first.descending ? [nulls, values] : [values, nulls]
}

/** Fields that are null in the whole stretch stay in its order: to some engines `IS NULL` does not say that they are all the same. */
function nullsAhead(keys: readonly SortKey[], place: readonly unknown[]): SortKey[] {
  return keys.filter((_key, index) => place[index] === null).map((key) => ({ ...key, uniform: true }))
}

/** What lies beyond the place in these fields, compared in one; null sorts as the largest. */
function seeksBeyond(model: AnyModel, keys: readonly SortKey[], place: readonly unknown[]): Seek[] {
  const [key, ...rest] = keys
  if (!key) return []
  const order = [{ ...key, uniform: true }, ...rest]
  if (place[0] === null) return key.descending ? [{ filter: isNull(key.field, true), order }] : []
  const values: Seek = { filter: beyond(keys, place), order }
  return isNullable(model, key) && !key.descending ? [values, { filter: isNull(key.field, false), order }] : [values]
}

function beyond(keys: readonly SortKey[], values: readonly unknown[]): Filter {
  const comparison = keys[0]?.descending ? 'lt' : 'gt'
  return { type: 'beyond', fields: keys.map(({ field }) => field), comparison, values }
}

function isNullable(model: AnyModel, { field }: SortKey): boolean {
  return model.fieldsByName.get(field)?.nullable ?? false
}

function isNull(field: string, negated: boolean): Filter {
  return { type: 'null', field, negated }
}
