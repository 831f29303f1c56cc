import { fold } from '../fold.ts'
import type { SqliteDatabase } from './driver.ts'
import { codecFor, decimalText } from './values.ts'

// The names of functions in queries. No object of the schema uses them, so that other programs can open the file. They stand apart from the queries that do: threads have the functions, and would
// load all of Kysely for them.
export const foldFunction = 'strongroom_fold'
export const numberFunction = 'strongroom_json_number'
export const instantFunction = 'strongroom_json_instant'
export const decimalFunction = 'strongroom_json_decimal'

/** Defines the library's own functions on a connection. */
export function addOwnFunctions(database: SqliteDatabase): void {
  const define = (name: string, body: (value: unknown, more: unknown) => unknown): void => {
    database.function(name, { deterministic: true, directOnly: true }, body)
  }
  // SQLite's own `lower` knows ASCII alone.
  database.function(foldFunction, { deterministic: true, directOnly: true }, (text) => (typeof text === 'string' ? fold(text) : null))
  // What other programs may have written, and this library would not, is put into words by JavaScript itself.
  const { decode } = codecFor({ kind: 'datetime' })
  define(numberFunction, (value) => JSON.stringify(value))
  // An instant decodes to a Date, and throws here where it is none.
  define(instantFunction, (value) => (decode(value) as Date).toISOString())
  define(decimalFunction, (digits, scale) => decimalText(BigInt(String(digits)), Number(scale)))
}
