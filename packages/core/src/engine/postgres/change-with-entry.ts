import type { EntryChange, EntryChanges, ImageField } from '../entry-change.ts'
import { isSpelt, spelling } from './image-text.ts'
import { quoteName, quoteText } from './names.ts'

// Names within the statement: no table or field of a model is called so.
const old = '"~old"'
const spelt = '"~spelt"'
const image = '"~image"'
const written = '"~written"'
const entries = '"~entry"'
const key = '"~key"'
const before = '"~before"'
const after = '"~after"'

export const entryChanges: EntryChanges = {
  spells: isSpelt,
  mostFields: 40,
  statement,
}

/**
 * One statement, so that it needs no BEGIN and COMMIT around it. The record is read FOR UPDATE, and so as it stands when nobody else changes it
 * any more; what is changed, and told, is made of that. The entry's id is drawn when the record is changed.
 */
function statement(change: EntryChange): string {
  const { table, idColumn, locked, set, answered, log, entryColumns, made, stand } = change
  let last = locked.parameters
  const place = (): string => `$${++last}`
  const values = set?.map((name) => `${quoteName(name)} = ${place()}`)
  const given = new Map(change.spelt.map((name) => [name, `${place()}::text`]))
  const kept = change.kept.map((name): [string, string] => [name, `${place()}::text`])
  const entry = new Map(entryColumns.map((name) => [name, place()]))
  const salt = `${place()}::bytea`

  const lookedAt = new Set([...change.compared, ...change.kept])
  const members = change.image.filter(({ name, mask }) => mask === undefined || lookedAt.has(name))
  const text = new Map(members.map(({ name }, index) => [name, `"~${index}"`]))
  const columns = members.map(({ name, field }) => `${spelling(field, quoteName(name))} AS ${text.get(name)}`)
  const standing = imageText(change.image, (name) => text.get(name))
  const left = set ? imageText(change.image, (name) => given.get(name) ?? text.get(name)) : 'NULL::text'
  const conditions = kept.map(([name, value]) => `${text.get(name)} = ${value}`)
  const differs = change.compared.map((name) => `${text.get(name)} <> ${given.get(name)}`)
  if (differs.length > 0) conditions.push(`(${differs.join(' OR ')})`)
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : ''

  const record = quoteName(table)
  const isRecord = `${record}.${quoteName(idColumn)} = ${image}.${key} AND ${image}.${before} IS NOT NULL`
  const write = values
    ? `UPDATE ${record} SET ${values.join(', ')} FROM ${image} WHERE ${isRecord}`
    : `DELETE FROM ${record} USING ${image} WHERE ${isRecord}`
  const answer = answered.map(quoteName)
  const returned = [`${image}.${before}`, `${image}.${after}`, ...answered.map((name) => `${record}.${quoteName(name)}`)]
  if (made.tenant) returned.push(`${record}.${quoteName(made.tenant.field)}::text AS "~tenant"`)

  entry.set(made.before, before).set(made.after, after).set(made.salt, salt)
  const [start, middle, end] = made.hashed.map(quoteText)
  entry.set(made.hash, `sha256(${salt} || convert_to(${start} || coalesce(${after}, 'null') || ${middle} || ${before} || ${end}, 'UTF8'))`)
  entry.set(stand.column, `(SELECT ${quoteName(stand.column)} FROM ${quoteName(stand.table)})`)
  if (made.tenant) entry.set(made.tenant.column, '"~tenant"')
  return `WITH ${old} AS MATERIALIZED (${locked.sql}),
    ${spelt} AS MATERIALIZED (SELECT ${quoteName(idColumn)} AS ${[key, ...columns].join(', ')} FROM ${old}),
    ${image} AS MATERIALIZED (SELECT ${key}, ${standing} AS ${before}, ${left} AS ${after} FROM ${spelt}${where}),
    ${written} AS (${write} RETURNING ${returned.join(', ')}),
    ${entries} AS (INSERT INTO ${quoteName(log)} (${[...entry.keys()].map(quoteName).join(', ')}) SELECT ${[...entry.values()].join(', ')} FROM ${written})
    SELECT ${answer.join(', ')} FROM ${written}`
}

/** Null where one of the values is. */
function imageText(fields: readonly ImageField[], textOf: (name: string) => string | undefined): string {
  const pieces: string[] = []
  let words = ''
  for (const { name, prefix, mask } of fields) {
    words += prefix
    if (mask !== undefined) words += mask
    else {
      pieces.push(quoteText(words), textOf(name) ?? 'NULL')
      words = ''
    }
  }
  return [...pieces, quoteText(`${words}}`)].join(' || ')
}
