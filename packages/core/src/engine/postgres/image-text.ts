import type { FieldKind } from '../../model/model.ts'
import type { StoredKind } from '../engine.ts'
import type { ImageField } from '../entry-change.ts'

/** How a kind of value is written as JSON, in SQL text of a column. */
interface Spelling {
  readonly text: (column: string) => string
  /** Which values the program writes likewise; all of them unless said. */
  readonly alike?: (column: string) => string
}

const plain = (column: string): string => `${column}::text`
const quoted = (column: string): string => `'"' || ${column}::text || '"'`

/**
 * Exactly JSON.stringify's text, as RFC 8785 has it. Of doubles both write the shortest digits, but for those that lie halfway between two others
 * (none below 2^52 has so few digits that it could be written so), and have different ideas of when to use an exponent. JSON has keys to be
 * sorted by UTF-16, which the database does not know.
 */
const spellings: Partial<Record<FieldKind, Spelling>> = {
  text: { text: (column) => `to_json(${column})::text` },
  uuid: { text: quoted },
  date: { text: quoted },
  decimal: { text: quoted },
  int64: { text: quoted },
  boolean: { text: plain },
  integer: { text: plain, alike: (column) => `${column} BETWEEN ${Number.MIN_SAFE_INTEGER} AND ${Number.MAX_SAFE_INTEGER}` },
  number: {
    // minus zero is written as 0
    text: (column) => `CASE WHEN ${column} = 0 THEN '0' ELSE ${column}::text END`,
    alike: (column) => `(${column} = 0 OR abs(${column}) >= 1e-4 AND abs(${column}) < 1e15)`,
  },
  datetime: {
    text: (column) => `'"' || to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"'`,
    alike: (column) => `${column} BETWEEN '0001-01-01 00:00:00+00' AND '9999-12-31 23:59:59.999+00'`,
  },
  // lines of 76 characters otherwise
  bytes: { text: (column) => `'"' || translate(encode(${column}, 'base64'), E'\\n', '') || '"'` },
}

export function isSpelt({ kind }: StoredKind): boolean {
  return spellings[kind] !== undefined
}

/**
 * SQL text of a column, which is JSON as an image in the log has it; null for a value that the program would write otherwise. Each step that is
 * left out is one less to be set up whenever the statement runs.
 */
export function spelling({ kind, nullable }: Pick<ImageField['field'], 'kind' | 'nullable'>, column: string): string {
  const { text, alike } = spellings[kind] ?? {}
  if (!text) return 'NULL::text'
  if (!alike) return nullable ? `coalesce(${text(column)}, 'null')` : text(column)
  return `CASE ${nullable ? `WHEN ${column} IS NULL THEN 'null' ` : ''}WHEN ${alike(column)} THEN ${text(column)} END`
}
