import type { FieldKind } from '../../model/model.ts'

/** A value as csv-stringify takes it; numbers are told apart, since a minus before one is no formula. */
export type CsvCell = string | number | bigint | null

/** A value in code form, not null, as a cell. It reads back as the same value. */
export function csvCell(kind: FieldKind, value: unknown): CsvCell {
  // Each kind has its own code form; see FieldKind.
  switch (kind) {
    case 'integer':
    case 'number':
      return value as number
    case 'int64':
      return value as bigint
    case 'boolean':
      return value === true ? 'true' : 'false'
    case 'datetime':
      return (value as Date).toISOString()
    case 'json':
      return JSON.stringify(value)
    case 'bytes': {
      const bytes = value as Uint8Array
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
    }
    default:
      return value as string
  }
}
