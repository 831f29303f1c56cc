import type { BoundTable } from './bound-table.ts'

/** How a field is compared with a value. */
export type Comparison = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte'

/** How text is matched. */
export type TextMatch = 'contains' | 'startsWith' | 'endsWith'

/** A condition on the records of one model, in values of code form. */
export type Filter =
  | { readonly type: 'compare'; readonly field: string; readonly comparison: Comparison; readonly value: unknown }
  | { readonly type: 'in'; readonly field: string; readonly values: readonly unknown[]; readonly negated: boolean }
  /** Equal, and the order is one within the value: it is said so where an engine would rather walk all records in the order of another index. */
  | { readonly type: 'held'; readonly field: string; readonly value: unknown }
  /**
   * One of these values, which are all that the field can have: rows are merged from those of each, since an index has the order for one value alone. Stands outside
   * of `or` and `not`.
   */
  | { readonly type: 'each'; readonly field: string; readonly values: readonly string[] }
  | { readonly type: 'text'; readonly field: string; readonly match: TextMatch; readonly folded: boolean; readonly value: string }
  | { readonly type: 'null'; readonly field: string; readonly negated: boolean }
  /** Beyond a place, compared field by field: `(a, b) > (1, 2)`. */
  | { readonly type: 'beyond'; readonly fields: readonly string[]; readonly comparison: 'lt' | 'gt'; readonly values: readonly unknown[] }
  /** The field is among the values that another field has in those records of a table that hold a condition of their own. */
  | { readonly type: 'linked'; readonly field: string; readonly table: BoundTable; readonly tableField: string; readonly filter: Filter }
  /** The last entry about the record in a log, if there is any, stands at this position or before it. */
  | { readonly type: 'unchanged'; readonly log: BoundTable; readonly component: string; readonly position: number }
  | { readonly type: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly type: 'not'; readonly part: Filter }

/** Holds for every record. */
export const everything: Filter = { type: 'and', parts: [] }

/** Holds for no record. */
export const nothing: Filter = { type: 'or', parts: [] }

/** Holds when all parts hold. */
export function allOf(...parts: readonly Filter[]): Filter {
  const telling = parts.filter((part) => part !== everything)
  const [first] = telling
  if (first === undefined) return everything
  return telling.length === 1 ? first : { type: 'and', parts: telling }
}

/** Holds where the field equals the value; null equals null. */
export function equals(field: string, value: unknown): Filter {
  return value === null ? { type: 'null', field, negated: false } : { type: 'compare', field, comparison: 'eq', value }
}

/** Holds where the field equals the value, which is not null: a page in the order of an index that begins with the field. */
export function heldTo(field: string, value: unknown): Filter {
  return { type: 'held', field, value }
}

/** The fields that a filter holds to one value each. */
export function heldFields(filter: Filter): string[] {
  if (filter.type === 'held') return [filter.field]
  return filter.type === 'and' ? filter.parts.flatMap(heldFields) : []
}

/** By which values rows are to be merged. */
export function eachOf(filter: Filter): Extract<Filter, { type: 'each' }> | undefined {
  if (filter.type === 'each') return filter
  return filter.type === 'and' ? filter.parts.map(eachOf).find((part) => part !== undefined) : undefined
}

/** What a filter says besides one of its parts. */
export function besides(filter: Filter, part: Filter): Filter {
  if (filter === part) return everything
  return filter.type === 'and' ? allOf(...filter.parts.map((each) => besides(each, part))) : filter
}

/** Holds where the field is one of the values. */
export function oneOf(field: string, values: readonly unknown[]): Filter {
  return { type: 'in', field, values, negated: false }
}

/** The fields in which a filter searches for text. */
export function searchedFields(filter: Filter): string[] {
  switch (filter.type) {
    case 'text':
      return [filter.field]
    case 'not':
      return searchedFields(filter.part)
    case 'and':
    case 'or':
      return [...new Set(filter.parts.flatMap(searchedFields))]
    default:
      return []
  }
}
