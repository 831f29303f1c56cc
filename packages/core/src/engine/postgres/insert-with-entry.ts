import type { EntryInsert } from '../entry-insert.ts'
import { quoteName, quoteText } from './names.ts'

/**
 * One statement, so that it needs no BEGIN and COMMIT around it. The entry is made of what the record's INSERT returns: its own id is drawn
 * after the record stands, and whoever waits for another's unique key waits before that.
 */
export function insertWithEntry({ table, idColumn, columns, log, entryColumns, stand, counted }: EntryInsert): string {
  let last = 0
  const place = (): string => `$${++last}`
  const record = `INSERT INTO ${quoteName(table)} (${columns.map(quoteName).join(', ')})
    VALUES (${columns.map(place).join(', ')}) RETURNING ${quoteName(idColumn)} AS key`
  const given = entryColumns.map((name) => {
    const value = place()
    return name === counted?.refused ? `CASE WHEN written.key <= ${counted.highest} THEN ${value}::text END` : value
  })
  const names = [...entryColumns, stand.column]
  const values = [...given, `(SELECT ${quoteName(stand.column)} FROM ${quoteName(stand.table)})`]
  if (!counted) return `WITH written AS (${record}) ${into(log, names)} SELECT ${values.join(', ')} FROM written RETURNING TRUE`
  const image = `${place()}::text || record.key::text || ${place()}::text`
  const salt = `${place()}::bytea`
  const hashed = `convert_to(${quoteText(counted.hashed.before)} || written.image || ${quoteText(counted.hashed.behind)}, 'UTF8')`
  names.push(counted.recordId, counted.image, counted.salt, counted.hash)
  values.push('written.key::text', 'written.image', salt, `sha256(${salt} || ${hashed})`)
  return `WITH record AS (${record}), written AS (SELECT record.key, ${image} AS image FROM record)
    ${into(log, names)} SELECT ${values.join(', ')} FROM written RETURNING ${quoteName(counted.recordId)} AS id`
}

function into(log: string, names: readonly string[]): string {
  return `INSERT INTO ${quoteName(log)} (${names.map(quoteName).join(', ')})`
}
