/** How a field is compared in a list's query: `age[gte]=18`. */
export const listOperators = [
  'eq',
  'ne',
  'lt',
  'lte',
  'gt',
  'gte',
  'in',
  'not_in',
  'contains',
  'starts_with',
  'ends_with',
  'icontains',
  'istarts_with',
  'iends_with',
  'is_null',
] as const

/** One of `listOperators`. */
export type ListOperator = (typeof listOperators)[number]

/** One comparison of a list's query, its values still text. */
export interface ListFilter {
  readonly type: 'filter'
  readonly field: string
  readonly operator: ListOperator
  /** One value; any number of them for `in` and `not_in`. */
  readonly values: readonly string[]
}

/** A condition of a list's query. */
export type ListCondition =
  | ListFilter
  | { readonly type: 'and' | 'or'; readonly parts: readonly ListCondition[] }
  | { readonly type: 'not'; readonly part: ListCondition }

/** How many comparisons a condition holds. */
export function countFilters(conditions: readonly ListCondition[]): number {
  let count = 0
  for (const condition of conditions) {
    if (condition.type === 'filter') count++
    else count += countFilters(condition.type === 'not' ? [condition.part] : condition.parts)
  }
  return count
}
