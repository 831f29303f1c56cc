import type { FieldKind } from '../model.ts'
import { type StoredValues, valueTypeOf } from './of-kind.ts'
import type { ValueType } from './value-type.ts'

/** Makes a value of another type, both in code form; undefined where something of it would be lost. */
export type Conversion = (value: unknown) => unknown

/** The conversion between two types; undefined where there is none. */
export function conversionOf({ values: _, ...from }: StoredValues, to: StoredValues): Conversion | undefined {
  const target = valueTypeOf(to)
  const convert = conversionBetween(valueTypeOf(from), target)
  return convert && ((value) => accepted(convert(value), target))
}

function conversionBetween(source: ValueType, { kind }: ValueType): Conversion | undefined {
  return source.kind === kind ? sameKind(kind) : (special[`${source.kind} ${kind}`] ?? byText(source, kind))
}

/** What a value in JSON may have been, before its field got the type that it has now. */
const sources: Readonly<Record<string, readonly ValueType[]>> = {
  string: [valueTypeOf({ type: 'text' }), valueTypeOf({ type: 'date' }), valueTypeOf({ type: 'datetime' })],
  number: [valueTypeOf({ type: 'integer' }), valueTypeOf({ type: 'number' })],
  boolean: [valueTypeOf({ type: 'boolean' })],
  object: [valueTypeOf({ type: 'json' })],
}

/**
 * Reads a value that a field of another type wrote in JSON, converted as a migration converts it.
 *
 * @param isTaken whether the field has values of that kind
 * @returns undefined where the value cannot be written in the field's type without a loss
 */
export function readConverted(wire: unknown, target: ValueType, isTaken: (value: unknown) => boolean): unknown {
  for (const source of sources[typeof wire] ?? []) {
    const value = source.fromJson(wire)
    if (source.check(value) !== undefined) continue
    const converted = conversionBetween(source, target)?.(value)
    if (converted !== undefined && isTaken(converted)) return target.normalise(converted)
  }
  return undefined
}

/** The value as it is stored, where the new field takes it. */
export function accepted(value: unknown, target: ValueType): unknown {
  if (value === undefined || target.check(value) !== undefined) return undefined
  return target.normalise(value)
}

function sameKind(kind: FieldKind): Conversion {
  return kind === 'decimal' ? (value) => shortest(String(value)) : (value) => value
}

const midnight = 'T00:00:00.000Z'

/** Pairs that have more to them than their text. */
const special: Readonly<Record<string, Conversion>> = {
  'boolean integer': (value) => (value === true ? 1 : 0),
  'boolean int64': (value) => (value === true ? 1n : 0n),
  'integer boolean': (value) => (value === 1 ? true : value === 0 ? false : undefined),
  'int64 boolean': (value) => (value === 1n ? true : value === 0n ? false : undefined),
  'date datetime': (value) => new Date(`${String(value)}${midnight}`),
  'datetime date': (value) => {
    // Instants are Dates in code.
    const text = (value as Date).toISOString()
    return text.endsWith(midnight) ? text.slice(0, -midnight.length) : undefined
  },
}

const numeric: ReadonlySet<FieldKind> = new Set(['integer', 'int64', 'number', 'decimal'])

/** By way of text: where both sides can be written as one, and read from one. */
function byText(source: ValueType, to: FieldKind): Conversion | undefined {
  const { kind: from } = source
  const read = readers[to]
  if (!read || from === 'bytes') return undefined
  if (from === 'json' && to !== 'text') return undefined
  if (to === 'json' && from !== 'text') return (value) => source.toJson(value)
  const isKnown = from === 'text' || to === 'text' || (numeric.has(from) && numeric.has(to))
  if (!isKnown) return undefined
  const write = (value: unknown): string =>
    from === 'json' ? JSON.stringify(value) : String(from === 'datetime' ? source.toJson(value) : value)
  return (value) => read(write(value))
}

const whole = /^[+-]?\d+$/
const decimal = /^[+-]?\d+(?:\.\d+)?$/

const readers: Readonly<Partial<Record<FieldKind, (text: string) => unknown>>> = {
  text: (text) => text,
  uuid: (text) => text,
  date: (text) => text,
  datetime: (text) => valueTypeOf({ type: 'datetime' }).fromJson(text),
  integer: (text) => (whole.test(shortest(text)) ? Number(shortest(text)) : undefined),
  int64: (text) => (whole.test(shortest(text)) ? BigInt(shortest(text)) : undefined),
  number: (text) => (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? exactNumber(text) : undefined),
  decimal: (text) => (decimal.test(text) ? shortest(text) : undefined),
  boolean: (text) => (text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : undefined),
  json: (text) => {
    try {
      return JSON.parse(text)
    } catch {
      return undefined
    }
  },
}

/** `+12.50` as `12.5`, and `12.00` as `12`: what stands behind the point only for the sake of its scale is none of the value. */
function shortest(text: string): string {
  if (!decimal.test(text)) return text
  const bare = text.includes('.') ? text.replace(/\.?0+$/, '') : text
  return bare.replace(/^\+/, '').replace(/^(-?)0+(?=\d)/, '$1')
}

/** A whole number past 2^53 would become its neighbour. */
function exactNumber(text: string): number | undefined {
  const number = Number(text)
  if (!Number.isFinite(number)) return undefined
  return whole.test(text) && BigInt(text.replace(/^\+/, '')) !== BigInt(number) ? undefined : number
}
