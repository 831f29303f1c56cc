import type { FieldKind } from '../../model/model.ts'
import type { Codec, StoredKind } from '../engine.ts'
import type { PgDriver, TypeParser } from './driver.ts'

const untouched: Codec = { encode: (value) => value, decode: (stored) => stored, identity: true }

/** What travels between the code form and the driver. Text form is PostgreSQL's own for every kind but bytes. */
const codecs: Readonly<Record<FieldKind, Codec>> = {
  text: untouched,
  uuid: untouched,
  // other programs may have written more than a number holds exactly
  integer: { encode: (value) => value, decode: (stored) => (typeof stored === 'bigint' ? Number(stored) : stored), identity: false },
  number: untouched,
  boolean: untouched,
  decimal: untouched,
  date: untouched,
  // the casts below rest on Codec's promise: only values that the field's check accepted come in
  int64: { encode: (value) => (value as bigint).toString(), decode: (stored) => BigInt(stored as number | bigint), identity: false },
  datetime: { encode: (value) => (value as Date).toISOString(), decode: (stored) => new Date(stored as string), identity: false },
  // said explicitly: the driver would make a PostgreSQL array of an array
  json: { encode: (value) => JSON.stringify(value), decode: (stored) => JSON.parse(stored as string), identity: false },
  bytes: { encode: encodeBytes, decode: (stored) => stored, identity: false },
}

export function codecFor(field: StoredKind): Codec {
  return codecs[field.kind]
}

/** A view on the same memory: some versions of the driver know Buffer only. */
function encodeBytes(value: unknown): unknown {
  const bytes = value as Uint8Array
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Object ids of built-in types; fixed for ever in PostgreSQL's catalogue. */
const oid = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  json: 114,
  float4: 700,
  float8: 701,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  jsonb: 3802,
}

const asText: TypeParser = (text) => text

/** Of this engine's connections alone: the driver's global parsers belong to the host program, which may have changed them. */
const parsers: ReadonlyMap<number, TypeParser> = new Map<number, TypeParser>([
  [oid.bool, (text) => text === 't'],
  [oid.bytea, parseBytes],
  [oid.int8, parseInteger],
  [oid.int2, Number],
  [oid.int4, Number],
  [oid.float4, Number],
  [oid.float8, Number],
  [oid.json, asText],
  [oid.jsonb, asText],
  [oid.date, asText],
  [oid.timestamp, asText],
  [oid.timestamptz, parseInstant],
])

/** How values of a result become rows. Types that no model uses, arrays among them, come as the driver has them. */
export function resultTypes(driver: PgDriver): { getTypeParser(oid: number, format?: string): TypeParser } {
  return { getTypeParser: (oid) => parsers.get(oid) ?? driver.types.getTypeParser(oid, 'text') }
}

function parseInteger(text: string): number | bigint {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text)
}

/** `\x` and hexadecimal digits; copied out of Node's shared pool, so that nobody sees a neighbour's bytes through `buffer`. */
function parseBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'))
}

const instant = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?([+-]\d\d)(?::?(\d\d))?(?::?(\d\d))?$/

/** `2024-01-02 03:04:05.12+00` to `2024-01-02T03:04:05.120Z`; what no model can hold (infinity, BC) is handed out as it stands. */
function parseInstant(text: string): string {
  // the usual case by far: connections speak UTC, and stored instants have milliseconds
  if (text.length === 26 && text.endsWith('+00')) return `${text.slice(0, 10)}T${text.slice(11, 23)}Z`
  const match = instant.exec(text)
  if (!match) return text
  const [, year, month, day, hour, minute, second, fraction = '', zone = '+00', zoneMinute = '00', zoneSecond = '00'] = match
  const utc = `${year}-${month}-${day}T${hour}:${minute}:${second}`
  const offset = (Math.abs(Number(zone)) * 3600 + Number(zoneMinute) * 60 + Number(zoneSecond)) * (zone.startsWith('-') ? -1 : 1)
  const seconds = offset === 0 ? utc : new Date(Date.parse(`${utc}Z`) - offset * 1000).toISOString().slice(0, 19)
  return `${seconds}.${fraction.padEnd(3, '0')}Z`
}

/** A parameter of a statement that somebody else wrote: the driver would spell a Date in local time, to the minute. */
export function encodeForeign(value: unknown): unknown {
  return value instanceof Date ? value.toISOString() : value
}
