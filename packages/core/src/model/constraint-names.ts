import { createHash } from 'node:crypto'

/** PostgreSQL cuts names after 63 bytes; names of models and fields are ASCII. */
const longestName = 63

/** The name of the index that keeps these fields unique. */
export function uniqueName(table: string, fields: readonly string[]): string {
  return joined([table, ...fields, 'key'])
}

/** The name of an ordinary index over these fields. */
export function indexName(table: string, fields: readonly string[]): string {
  return joined([table, ...fields, 'idx'])
}

/** The name of the foreign key of a field. */
export function referenceName(table: string, field: string): string {
  return joined([table, field, 'fkey'])
}

/**
 * Indexes of all tables share one space of names: with a single underscore between the parts, `name` of `user_group` and
 * `group_name` of `user` would meet. Parts that could still be cut in two ways, and names that are too long, get a digest.
 */
function joined(parts: readonly string[]): string {
  const name = parts.join('__')
  const ambiguous = parts.some((part) => part.includes('__') || part.endsWith('_'))
  if (name.length <= longestName && !ambiguous) return name
  const digest = createHash('sha256').update(parts.join(' ')).digest('hex').slice(0, 10)
  return `${name.slice(0, longestName - digest.length - 1)}_${digest}`
}
