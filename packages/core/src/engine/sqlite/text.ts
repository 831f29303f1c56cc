import { sql } from 'kysely'
import type { TextFunctions } from '../engine.ts'
import { fold } from '../fold.ts'
import type { SqliteDatabase } from './driver.ts'

/** The name of the function in queries; no object of the schema uses it, so that other programs can open the file. */
const foldFunction = 'strongroom_fold'

/** SQLite's own `lower` knows ASCII alone. */
export function addTextFunctions(database: SqliteDatabase): void {
  database.function(foldFunction, { deterministic: true, directOnly: true }, (text) => (typeof text === 'string' ? fold(text) : null))
}

export const textFunctions: TextFunctions = {
  position: (text, part) => sql<number>`instr(${text}, ${part})`,
  fold: (text) => sql<string>`${sql.raw(foldFunction)}(${text})`,
  // SQLite writes no bytes for null as it does for none.
  hex: (bytes) => sql<string | null>`nullif(lower(hex(${bytes})), '')`,
  endsWith: (text, part) => sql`substr(${text}, -length(${part})) = ${part}`,
}
