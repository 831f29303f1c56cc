/** A question as Feathers asks it: fields with values or comparisons, and words that begin with $. */
export type Query = Readonly<Record<string, unknown>>

/** The same question in the accessor's words. */
export interface Question {
  readonly where: Readonly<Record<string, unknown>>
  readonly orderBy: readonly string[]
  readonly limit?: number
  readonly offset?: number
}

/** Which fields to answer; all unless said. */
export interface Selection {
  readonly fields?: readonly string[]
}

const comparisons = { $ne: 'ne', $in: 'in', $nin: 'notIn', $lt: 'lt', $lte: 'lte', $gt: 'gt', $gte: 'gte' } as const

/** Only renames: what a word means is the accessor's business. */
export function questionOf({ $select: _select, $sort, $limit, $skip, ...conditions }: Query): Question {
  return {
    where: whereOf(conditions),
    orderBy: Object.entries(Object($sort)).map(([field, direction]) => (Number(direction) < 0 ? `-${field}` : field)),
    ...($limit !== undefined && { limit: Number($limit) }),
    ...($skip !== undefined && { offset: Number($skip) }),
  }
}

/** Which fields to answer; Feathers always answers the id. */
export function selectionOf({ $select }: Query, id: string): Selection {
  return Array.isArray($select) ? { fields: [...new Set<string>([id, ...$select])] } : {}
}

function whereOf(conditions: Query): Record<string, unknown> {
  return Object.fromEntries(Object.entries(conditions).map(([name, condition]) => [wordOf(name), conditionOf(condition)]))
}

function conditionOf(condition: unknown): unknown {
  if (Array.isArray(condition)) return condition.map(conditionOf)
  return typeof condition === 'object' && condition !== null ? whereOf({ ...condition }) : condition
}

/** The accessor's word for one of Feathers'; a field is called the same. */
function wordOf(name: string): string {
  if (name === '$or' || name === '$and') return name.slice(1)
  return Object.hasOwn(comparisons, name) ? comparisons[name as keyof typeof comparisons] : name
}
