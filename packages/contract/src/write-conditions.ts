import type { ListCondition, ListFilter } from './list-condition.ts'
import type { QueryPair } from './query-string.ts'

/**
 * Writes conditions that must all hold as parameters of a query: the other way round than the server reads them.
 *
 * @example
 * writeQuery(writeConditions([{ type: 'filter', field: 'age', operator: 'gte', values: ['18'] }])) // 'age%5Bgte%5D=18'
 */
export function writeConditions(conditions: readonly ListCondition[]): QueryPair[] {
  const taken = new Set<string>()
  const pairs: QueryPair[] = []
  for (const condition of conditions) {
    if (condition.type === 'not') pairs.push({ name: 'not', value: writeGroup([condition]).slice('(not'.length, -1) })
    else if (condition.type !== 'filter') pairs.push({ name: condition.type, value: writeGroup(condition.parts) })
    else {
      // The operator is always said: a plain name could be that of a parameter, now or later.
      const name = `${condition.field}[${condition.operator}]`
      // A name given twice would mean one of both.
      if (taken.has(name)) pairs.push({ name: 'and', value: writeGroup([condition]) })
      else pairs.push({ name, value: isList(condition) ? condition.values.map(writeItem).join(',') : (condition.values[0] ?? '') })
      taken.add(name)
    }
  }
  return pairs
}

/** Writes the parameters of a query, percent-encoded. Throws URIError for text with half of a surrogate pair. */
export function writeQuery(pairs: readonly QueryPair[]): string {
  return pairs.map(({ name, value }) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')
}

/** `(role.eq.admin,not(age.lt.18))` */
function writeGroup(conditions: readonly ListCondition[]): string {
  return `(${conditions.map(writeCondition).join(',')})`
}

function writeCondition(condition: ListCondition): string {
  if (condition.type === 'not') return `not${writeGroup(condition.part.type === 'and' ? condition.part.parts : [condition.part])}`
  if (condition.type !== 'filter') return `${condition.type}${writeGroup(condition.parts)}`
  const { field, operator, values } = condition
  return `${field}.${operator}.${isList(condition) ? `(${values.map(writeItem).join(',')})` : writeItem(values[0] ?? '')}`
}

function isList({ operator }: ListFilter): boolean {
  return operator === 'in' || operator === 'not_in'
}

/** An item of a list, or a value in a group: in double quotes where something in it would end it. */
function writeItem(value: string): string {
  return value === '' || /[,()"\\]/.test(value) ? `"${value.replaceAll(/["\\]/g, '\\$&')}"` : value
}
