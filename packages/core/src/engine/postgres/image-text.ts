import type { FieldKind } from '../../model/model.ts'
import type { StoredKind } from '../engine.ts'

/** Makes SQL text of a column, which is JSON as an image in the log has it; null for a value that the program would write otherwise. */
type Spelling = (column: string) => string

/** `null` for null, else what is said. */
const orNull =
  (text: (column: string) => string): Spelling =>
  (column) =>
    `coalesce(${text(column)}, 'null')`

/** The same for kinds of which the database writes only some values as the program does. */
const some =
  (isWritten: (column: string) => string, text: (column: string) => string): Spelling =>
  (column) =>
    `CASE WHEN ${column} IS NULL THEN 'null' WHEN ${isWritten(column)} THEN ${text(column)} END`

const plain = (column: string): string => `${column}::text`
const quoted = (column: string): string => `'"' || ${column}::text || '"'`

/**
 * Exactly JSON.stringify's text, as RFC 8785 has it. Of doubles both write the shortest digits, but for those that lie halfway between two others
 * (none below 2^52 has so few digits that it could be written so), and have different ideas of when to use an exponent. JSON has keys to be
 * sorted by UTF-16, which the database does not know.
 */
const spellings: Partial<Record<FieldKind, Spelling>> = {
  text: orNull((column) => `to_json(${column})::text`),
  uuid: orNull(quoted),
  date: orNull(quoted),
  decimal: orNull(quoted),
  int64: orNull(quoted),
  boolean: orNull(plain),
  integer: some((column) => `${column} BETWEEN ${Number.MIN_SAFE_INTEGER} AND ${Number.MAX_SAFE_INTEGER}`, plain),
  // minus zero is written as 0
  number: some(
    (column) => `${column} = 0 OR abs(${column}) >= 1e-4 AND abs(${column}) < 1e15`,
    (column) => `CASE WHEN ${column} = 0 THEN '0' ELSE ${column}::text END`,
  ),
  datetime: some(
    (column) => `${column} BETWEEN '0001-01-01 00:00:00+00' AND '9999-12-31 23:59:59.999+00'`,
    (column) => `'"' || to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"'`,
  ),
  // lines of 76 characters otherwise
  bytes: orNull((column) => `'"' || translate(encode(${column}, 'base64'), E'\\n', '') || '"'`),
}

export function spelling({ kind }: StoredKind): Spelling | undefined {
  return spellings[kind]
}
