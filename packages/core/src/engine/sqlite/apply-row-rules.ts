import type { CarriedRows, EndedRows, RowRules } from '../row-rules.ts'
import { quoteName } from './ddl.ts'
import type { FileConnection } from './file-connection.ts'
import { codecFor } from './values.ts'

/** Does to the rows of a staged file what has to be done, given the live ones. May be done again. */
export function applyRowRules(staged: FileConnection, live: FileConnection, { endInFile, carry, endInAll }: RowRules): void {
  for (const rows of endInFile) end(staged, rows)
  for (const rows of carry) carryOver(staged, live, rows)
  for (const rows of endInAll) end(staged, rows)
}

function end(staged: FileConnection, { table, where, set }: EndedRows): void {
  if (!set) {
    staged.run(`DELETE FROM ${quoteName(table)} WHERE ${where}`)
    return
  }
  const values = set.map(({ column, value }) => (value === null ? null : codecFor(column).encode(value)))
  staged.run(`UPDATE ${quoteName(table)} SET ${set.map(({ column }) => `${quoteName(column.name)} = ?`).join(', ')} WHERE ${where}`, values)
}

function carryOver(staged: FileConnection, live: FileConnection, { table, columns, how, keys, where }: CarriedRows): void {
  const names = columns.map(quoteName).join(', ')
  const name = quoteName(table)
  if (how === 'replace') staged.run(`DELETE FROM ${name}`)
  const same = keys.map((key) => `(${key.map((column) => `${quoteName(column)} = ?`).join(' AND ')})`).join(' OR ')
  const giveWay = staged.database.prepare(`DELETE FROM ${name} WHERE ${same}`)
  const insert = staged.database.prepare(`INSERT INTO ${name} (${names}) VALUES (${columns.map(() => '?').join(', ')})`)
  for (const row of live.each(`SELECT ${names} FROM ${name}${where === undefined ? '' : ` WHERE ${where}`}`)) {
    if (how === 'merge') giveWay.run(keys.flatMap((key) => key.map((column) => row[column])))
    insert.run(columns.map((column) => row[column]))
  }
}
