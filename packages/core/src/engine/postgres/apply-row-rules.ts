import type { CarriedRows, EndedRows, RowRules } from '../row-rules.ts'
import type { Client } from './client.ts'
import { quoteName } from './names.ts'
import { codecFor } from './values.ts'

/** Does to the rows of a staging schema what has to be done, given the live ones. Runs in a transaction, whose search path it gives back. */
export async function applyRowRules(
  client: Client,
  { live, staging }: { readonly live: string; readonly staging: string },
  { endInFile, carry, endInAll }: RowRules,
): Promise<void> {
  const { rows } = await client.query({ sql: `SELECT current_setting('search_path') AS path` })
  await lookIn(client, quoteName(staging))
  for (const ended of endInFile) await end(client, ended)
  for (const carried of carry) await carryOver(client, live, carried)
  for (const ended of endInAll) await end(client, ended)
  await lookIn(client, String(rows[0]?.['path']))
}

/** Tables without a schema are those of this path. */
async function lookIn(client: Client, path: string): Promise<void> {
  await client.query({ sql: `SELECT set_config('search_path', $1, true)`, parameters: [path] })
}

async function end(client: Client, { table, where, set }: EndedRows): Promise<void> {
  if (!set) return void (await client.query({ sql: `DELETE FROM ${quoteName(table)} WHERE ${where}` }))
  await client.query({
    sql: `UPDATE ${quoteName(table)} SET ${set.map(({ column }, index) => `${quoteName(column.name)} = $${index + 1}`).join(', ')} WHERE ${where}`,
    parameters: set.map(({ column, value }) => (value === null ? null : codecFor(column).encode(value))),
  })
}

async function carryOver(client: Client, live: string, { table, columns, how, keys, where }: CarriedRows): Promise<void> {
  const names = columns.map(quoteName).join(', ')
  const from = `${quoteName(live)}.${quoteName(table)}`
  const carried = `(SELECT ${names} FROM ${from}${where === undefined ? '' : ` WHERE ${where}`})`
  if (how === 'replace') await client.query({ sql: `DELETE FROM ${quoteName(table)}` })
  else {
    const same = keys.map((key) => `(${key.map((name) => `gone.${quoteName(name)} = carried.${quoteName(name)}`).join(' AND ')})`)
    await client.query({ sql: `DELETE FROM ${quoteName(table)} AS gone USING ${carried} AS carried WHERE ${same.join(' OR ')}` })
  }
  await client.query({ sql: `INSERT INTO ${quoteName(table)} (${names}) SELECT ${names} FROM ${carried} AS carried` })
}
