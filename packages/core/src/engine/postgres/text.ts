import { sql } from 'kysely'
import type { TextFunctions } from '../engine.ts'
import { foldMap } from '../fold.ts'

// No collation maps case alike in every version of the server and in JavaScript; the very same map does.
const upper = sql.lit([...foldMap.keys()].join(''))
const lower = sql.lit([...foldMap.values()].join(''))

export const textFunctions: TextFunctions = {
  position: (text, part) => sql<number>`strpos(${text}, ${part}::text)`,
  fold: (text) => sql<string>`translate(${text}, ${upper}, ${lower})`,
  endsWith: (text, part) => sql`right(${text}, length(${part}::text)) = ${part}::text`,
}
