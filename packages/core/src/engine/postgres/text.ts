import { sql } from 'kysely'
import type { TextFunctions } from '../engine.ts'
import { foldMap } from '../fold.ts'

// No collation maps case alike in every version of the server and in JavaScript; the very same map does.
const makeFolding = () => ({ from: sql.lit([...foldMap().keys()].join('')), to: sql.lit([...foldMap().values()].join('')) })
let folding: ReturnType<typeof makeFolding> | undefined

export const textFunctions: TextFunctions = {
  position: (text, part) => sql<number>`strpos(${text}, ${part}::text)`,
  fold: (text) => {
    folding ??= makeFolding()
    return sql<string>`translate(${text}, ${folding.from}, ${folding.to})`
  },
  hex: (bytes) => sql<string | null>`encode(${bytes}, 'hex')`,
  endsWith: (text, part) => sql`right(${text}, length(${part}::text)) = ${part}::text`,
}
