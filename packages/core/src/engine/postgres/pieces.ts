import type { Field } from '../../model/model.ts'
import type { Connection, StoredRow } from '../engine.ts'
import { columnType } from './ddl.ts'
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

/** Gives rows values in one statement, whose text does not depend on how many they are: they travel as one JSON text. */
export async function setEach(
  connection: Connection,
  table: string,
  columns: readonly Field[],
  rows: readonly (readonly unknown[])[],
): Promise<void> {
  const names = columns.map(({ name }) => quoteName(name))
  const types = columns.map((column) => columnType(column).replace(' COLLATE "C"', ''))
  const sql = `UPDATE ${quoteName(table)} AS target SET ${names.map((name) => `${name} = given.${name}`).join(', ')}
    FROM json_to_recordset($1::json) AS given("id" bigint, ${names.map((name, index) => `${name} ${types[index]}`).join(', ')})
    WHERE target."id" = given."id"`
  const encoders = columns.map((column) => codecFor(column).encode)
  const objects = rows.map(([id, ...values]) => {
    const entries = values.map((value, index) => [columns[index]?.name ?? '', value === null ? null : inJson(encoders[index]?.(value))])
    return { id, ...Object.fromEntries(entries) }
  })
  await connection.run({ sql, parameters: [JSON.stringify(objects)] })
}

function inJson(encoded: unknown): unknown {
  return encoded instanceof Uint8Array ? `\\x${Buffer.from(encoded).toString('hex')}` : encoded
}
