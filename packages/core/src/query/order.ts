import { InvalidQueryError } from '../errors.ts'
import type { AnyModel } from '../model/model.ts'
import type { RowOf } from '../model/row-types.ts'
import { filterableField } from './where.ts'

/** Fields to sort by, first the most important; `-` before a name sorts downwards: `['-created_at', 'name']`. */
export type OrderBy<Model extends AnyModel> = OrderTerm<keyof RowOf<Model> & string> | readonly OrderTerm<keyof RowOf<Model> & string>[]

type OrderTerm<Name extends string> = Name | `-${Name}`

export interface SortKey {
  readonly field: string
  readonly descending: boolean
  /** The statement's condition leaves no nulls, or nothing else, so their place need not be said (which would keep an index from being used). */
  readonly uniform?: boolean
}

/**
 * Reads an `orderBy`. The id is always the last key, which makes every order total: where it is named it leaves nothing for those behind
 * it to decide, and else it goes in the direction of the one before, so that one index serves both directions.
 */
export function parseOrder(model: AnyModel, orderBy: string | readonly string[] | undefined): SortKey[] {
  const keys: SortKey[] = []
  for (const term of typeof orderBy === 'string' ? [orderBy] : (orderBy ?? [])) {
    if (typeof term !== 'string')
      throw new InvalidQueryError('An orderBy is a field name, or a list of them; a - before it sorts downwards.')
    const descending = term.startsWith('-')
    const field = filterableField(model, descending ? term.slice(1) : term)
    if (field.kind === 'json') throw new InvalidQueryError(`${field.name} holds JSON and has no order.`)
    if (!keys.some((key) => key.field === field.name)) keys.push({ field: field.name, descending })
  }
  const named = keys.findIndex((key) => key.field === model.id.name)
  if (named >= 0) return keys.slice(0, named + 1)
  keys.push({ field: model.id.name, descending: keys.at(-1)?.descending ?? false })
  return keys
}

/** The part of Kysely's ORDER BY item that is used. */
interface OrderItem<Self> {
  asc(): Self
  desc(): Self
  nullsFirst(): Self
  nullsLast(): Self
}

/** Null sorts as the largest value, whatever the engine would do by itself. */
export function nullsLargest<Item extends OrderItem<Item>>(model: AnyModel, sort: SortKey, item: Item): Item {
  const directed = sort.descending ? item.desc() : item.asc()
  if (sort.uniform || !model.fieldsByName.get(sort.field)?.nullable) return directed
  return sort.descending ? directed.nullsFirst() : directed.nullsLast()
}
