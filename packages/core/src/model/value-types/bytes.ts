import type { TSchema } from 'typebox'
import { type FieldNotes, notesOf, type ValueType } from './value-type.ts'

export interface BytesOptions extends FieldNotes {
  /** The most bytes that a value may have; no bound but the database's when it is left out. */
  readonly maxLength?: number
}

/** Says what is wrong with the options of Bytes. */
export function bytesOptionsProblem({ maxLength }: BytesOptions): string | undefined {
  if (maxLength === undefined || (Number.isSafeInteger(maxLength) && maxLength >= 0)) return undefined
  return 'Bytes takes a maxLength that is a whole number of bytes from 0 on'
}

/** Groups of four characters, the last one padded; bits that belong to no byte are 0. */
const base64Pattern = '^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?$'

/** Bytes: `Uint8Array` in code, base64 (RFC 4648, padded) in JSON. */
export function bytesType({ maxLength, ...notes }: BytesOptions): ValueType {
  const longest = maxLength === undefined ? {} : { maxLength: Math.ceil(maxLength / 3) * 4 }
  return {
    kind: 'bytes',
    schema: { ...notesOf(notes), type: 'string', contentEncoding: 'base64', pattern: base64Pattern, ...longest } as TSchema,
    ...(maxLength !== undefined && { maxLength }),
    check: (value) => {
      if (!(value instanceof Uint8Array)) return 'must be bytes: a Uint8Array in code, base64 with padding in JSON'
      return maxLength === undefined || value.length <= maxLength ? undefined : `must have at most ${maxLength} bytes`
    },
    normalise: (value) => (value instanceof Uint8Array ? Uint8Array.from(value) : value),
    toJson: (value) => {
      // `check` lets Uint8Arrays through only.
      const { buffer, byteOffset, byteLength } = value as Uint8Array
      return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
    },
    fromJson: (value) => (typeof value === 'string' ? (readBase64(value) ?? value) : value),
  }
}

/** Buffer skips what is not base64; only a text that comes out again unchanged is taken. */
function readBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined
  const decoded = Buffer.from(text, 'base64')
  return decoded.toString('base64') === text ? Uint8Array.from(decoded) : undefined
}
