import type { Field } from '../../model/model.ts'
import type { Awaitable, Connection, StoredRow } from '../engine.ts'
import { isPromise } from '../is-promise.ts'
import { quoteName } from './ddl.ts'
import { codecFor } from './values.ts'

/** The rows of a SELECT, as they stood when it was run. */
const gathered = 'temp."strongroom_pieces"'

/** Reads a SELECT in pieces: it is run once, into a temporary table, since nothing else can run while SQLite hands out rows. */
export async function readInPieces(
  connection: Connection,
  sql: string,
  size: number,
  use: (rows: readonly StoredRow[]) => Promise<void>,
): Promise<void> {
  const run = (statement: string): Awaitable<unknown> => connection.run({ sql: statement, parameters: [] })
  await run(`DROP TABLE IF EXISTS ${gathered}`)
  await run(`CREATE TEMP TABLE "strongroom_pieces" AS ${sql}`)
  for (let last = 0; ; last += size) {
    // Without a change to the table its rows are numbered from 1 on.
    const parameters = [last, last + size]
    const rows = await connection.all({ sql: `SELECT * FROM ${gathered} WHERE rowid > ? AND rowid <= ? ORDER BY rowid`, parameters })
    if (rows.length > 0) await use(rows)
    if (rows.length < size) break
  }
  await run(`DROP TABLE ${gathered}`)
}

/** Gives rows values, one after the other: a prepared statement costs a few microseconds. */
export function setEach(
  connection: Connection,
  table: string,
  columns: readonly Field[],
  rows: readonly (readonly unknown[])[],
): Awaitable<void> {
  const sql = `UPDATE ${quoteName(table)} SET ${columns.map(({ name }) => `${quoteName(name)} = ?`).join(', ')} WHERE "id" = ?`
  const encoders = columns.map((column) => codecFor(column).encode)
  const pending: PromiseLike<unknown>[] = []
  for (const [id, ...values] of rows) {
    const parameters = [...values.map((value, index) => (value === null ? null : encoders[index]?.(value))), id]
    const done = connection.run({ sql, parameters })
    if (isPromise(done)) pending.push(done)
  }
  if (pending.length > 0) return Promise.all(pending).then(() => undefined)
}
