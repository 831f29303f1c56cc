import { createHash } from 'node:crypto'

/** PostgreSQL cuts names after 63 bytes; names of models and fields are ASCII. */
const longestName = 63

/** The name of the index that keeps these fields unique. */
export function uniqueName(table: string, fields: readonly string[]): string {
  return fitted(`${table}_${fields.join('_')}_key`)
}

/** The name of an ordinary index over these fields. */
export function indexName(table: string, fields: readonly string[]): string {
  return fitted(`${table}_${fields.join('_')}_idx`)
}

/** The name of the foreign key of a field. */
export function referenceName(table: string, field: string): string {
  return fitted(`${table}_${field}_fkey`)
}

function fitted(name: string): string {
  if (name.length <= longestName) return name
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 10)
  return `${name.slice(0, longestName - digest.length - 1)}_${digest}`
}
