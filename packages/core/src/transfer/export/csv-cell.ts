import type { Codec, StoredKind } from '../../engine/engine.ts'

/** Writes a stored value, not null, as a cell of a CSV file (RFC 4180): it reads back as the same value. */
export type CellWriter = (stored: unknown) => string

/**
 * How the values of a column are written.
 *
 * @param spreadsheet puts an apostrophe before texts that a spreadsheet would run
 */
export function cellWriter({ kind }: StoredKind, codec: Codec, spreadsheet: boolean): CellWriter {
  const text = spreadsheet ? harmlessCell : textCell
  // Each kind has its own code form; see FieldKind. Numbers, words and instants hold nothing that is quoted.
  switch (kind) {
    case 'integer':
      // Another program may have written one that no number holds.
      return (stored) => `${stored as number | bigint}`
    case 'number':
    case 'int64':
      return (stored) => `${codec.decode(stored) as number | bigint}`
    case 'boolean':
      return (stored) => (codec.decode(stored) === true ? 'true' : 'false')
    case 'datetime':
      return (stored) => (codec.isWire?.(stored) ? (stored as string) : (codec.decode(stored) as Date).toISOString())
    case 'decimal':
      // A spreadsheet reads decimals as numbers anyway, and a number's minus begins no formula.
      return spreadsheet ? (stored) => `${Number(codec.decode(stored))}` : (stored) => codec.decode(stored) as string
    case 'json':
      return (stored) => text(JSON.stringify(codec.decode(stored)))
    case 'bytes':
      return (stored) => text(base64(codec.decode(stored) as Uint8Array))
    default:
      return (stored) => text(codec.decode(stored) as string)
  }
}

const quotedLetters = /[",\r\n]/

/** An unquoted empty cell is null, a quoted one the empty text. */
export function textCell(text: string): string {
  if (text === '') return '""'
  return quotedLetters.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** What spreadsheets take for the beginning of a formula, the wide forms of the signs among it. */
const formula = /^[-=+@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/

/** Against formulas in what others have written: https://owasp.org/www-community/attacks/CSV_Injection */
export function harmlessCell(text: string): string {
  return textCell(formula.test(text) ? `'${text}` : text)
}

function base64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
}
