import { type Expression, type SqlBool, sql } from 'kysely'
import { inTimeFunction } from './read-clock.ts'

/** About one row in so many looks at the clock: a call from SQLite costs as much as some twenty rows. A prime, so that no pattern of ids misses it for long. */
const rowsBetweenLooks = 127

/** Bytes from which a text is searched only after a look at the clock: in one megabyte a long part can take a tenth of a second to find. */
const longText = 16_384

/**
 * A condition that holds while there is time, and throws afterwards. It comes before the others: one that is evaluated last is never
 * reached while nothing matches. `texts` are columns that
 * are searched and may be long.
 */
export function inTime(texts: readonly Expression<unknown>[]): Expression<SqlBool> {
  const few = sql`rowid % ${sql.lit(rowsBetweenLooks)}`
  const short = texts.map((text) => sql`octet_length(${text}) < ${sql.lit(longText)}`)
  return sql<SqlBool>`(${sql.join([few, ...short], sql` and `)} or ${sql.raw(inTimeFunction)}())`
}
