import { sql } from 'kysely'
import type { TextFunctions } from '../engine.ts'
import { foldFunction } from './own-functions.ts'

export const textFunctions: TextFunctions = {
  position: (text, part) => sql<number>`instr(${text}, ${part})`,
  fold: (text) => sql<string>`${sql.raw(foldFunction)}(${text})`,
  // SQLite writes no bytes for null as it does for none.
  hex: (bytes) => sql<string | null>`nullif(lower(hex(${bytes})), '')`,
  endsWith: (text, part) => sql`substr(${text}, -length(${part})) = ${part}`,
}
