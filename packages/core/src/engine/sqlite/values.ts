import { instantText, readInstantText } from '../../model/instant-text.ts'
import type { FieldKind } from '../../model/model.ts'
import type { Codec, StoredKind } from '../engine.ts'

const asIs: Codec = { encode: (value) => value, decode: (stored) => stored, identity: true }

// Each codec may rely on the field's check: `encode` sees acceptable values only, `decode` what was stored for them.
const codecs: Record<Exclude<FieldKind, 'decimal'>, Codec> = {
  text: asIs,
  uuid: asIs,
  date: asIs,
  // other programs may have written more than a number holds exactly
  integer: { encode: (value) => value, decode: (stored) => (typeof stored === 'bigint' ? Number(stored) : stored), identity: false },
  number: asIs,
  boolean: { encode: (value) => (value ? 1 : 0), decode: (stored) => Number(stored) === 1, identity: false },
  int64: { encode: (value) => value, decode: (stored) => BigInt(stored as number | bigint), identity: false },
  datetime: {
    encode: (value) => instantText(value as Date),
    decode: (stored) => readInstantText(stored as string),
    identity: false,
    isWire: isInstantText,
  },
  json: { encode: (value) => JSON.stringify(value), decode: (stored) => JSON.parse(stored as string), identity: false },
  bytes: { encode: (value) => value, decode: (stored) => new Uint8Array(stored as Uint8Array), identity: false },
}

/** An instant as it is written here, by its length and two letters: other programs may have written one otherwise. */
function isInstantText(stored: unknown): boolean {
  const text = stored as string
  return text.length === 24 && text[10] === 'T' && text[23] === 'Z'
}

/** How the values of a field are stored in SQLite. */
export function codecFor(field: StoredKind): Codec {
  return field.kind === 'decimal' ? decimalCodec(field.scale ?? 0) : codecs[field.kind]
}

/** A decimal is stored as an integer, scaled by its digits after the point: order, comparison and sums are exact. */
function decimalCodec(scale: number): Codec {
  return {
    encode: (value) => toScaled(String(value), scale),
    decode: (stored) => decimalText(BigInt(stored as number | bigint), scale),
    identity: false,
  }
}

function toScaled(text: string, scale: number): bigint {
  const [, sign, whole = '', fraction = ''] = /^([+-]?)(\d*)\.?(\d*)$/.exec(text) ?? []
  const scaled = BigInt(`${whole}${fraction.slice(0, scale).padEnd(scale, '0')}` || '0')
  return sign === '-' ? -scaled : scaled
}

/** A scaled integer as the decimal that it stands for. */
export function decimalText(scaled: bigint, scale: number): string {
  const sign = scaled < 0n ? '-' : ''
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(scale + 1, '0')
  if (scale === 0) return `${sign}${digits}`
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
