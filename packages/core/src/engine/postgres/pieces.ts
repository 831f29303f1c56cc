import type { Field } from '../../model/model.ts'
import type { Connection, StoredRow } from '../engine.ts'
import { listText, listType } from './list-insert.ts'
import { quoteName } from './names.ts'
import { codecFor } from './values.ts'

const cursor = 'strongroom_pieces'

/** Reads a SELECT in pieces, through a cursor of the server's. */
export async function readInPieces(
  connection: Connection,
  sql: string,
  size: number,
  use: (rows: readonly StoredRow[]) => Promise<void>,
): Promise<void> {
  await connection.run({ sql: `DECLARE ${cursor} NO SCROLL CURSOR FOR ${sql}`, parameters: [] })
  for (;;) {
    const rows = await connection.all({ sql: `FETCH ${Math.trunc(size)} FROM ${cursor}`, parameters: [] })
    if (rows.length > 0) await use(rows)
    if (rows.length < size) break
  }
  await connection.run({ sql: `CLOSE ${cursor}`, parameters: [] })
}

/** Gives rows values in one statement, whose text does not depend on how many they are: they travel as one list for each column. */
export async function setEach(
  connection: Connection,
  table: string,
  columns: readonly Field[],
  rows: readonly (readonly unknown[])[],
): Promise<void> {
  const names = columns.map(({ name }) => quoteName(name))
  const lists = ['$1::bigint[]', ...columns.map((column, index) => `$${index + 2}::${listType(column)}`)]
  const sql = `UPDATE ${quoteName(table)} AS target SET ${names.map((name) => `${name} = given.${name}`).join(', ')}
    FROM unnest(${lists.join(', ')}) AS given("id", ${names.join(', ')})
    WHERE target."id" = given."id"`
  const encoders = columns.map((column) => codecFor(column).encode)
  const encoded = encoders.map((encode, index) =>
    rows.map((row) => {
      const value = row[index + 1] ?? null
      return value === null ? null : encode(value)
    }),
  )
  await connection.run({ sql, parameters: [listText(rows.map(([id]) => id)), ...encoded.map(listText)] })
}
