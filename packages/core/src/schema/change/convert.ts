import type { FieldKind } from '../../model/model.ts'
import { valueTypeOf } from '../../model/value-types/of-kind.ts'
import type { ValueType } from '../../model/value-types/value-type.ts'
import type { FieldDefinition } from '../definition/table-definition.ts'

/** Makes a value of another type, both in code form; undefined where something of it would be lost. */
export type Conversion = (value: unknown) => unknown

/** The conversion between two types; undefined where there is none. */
export function conversionOf(from: FieldDefinition, to: FieldDefinition): Conversion | undefined {
  const [source, target] = [valueTypeOf({ type: from.type, ...digits(from) }), valueTypeOf(to)]
  const convert = from.type === to.type ? sameKind(to.type) : (special[`${from.type} ${to.type}`] ?? byText(source, from.type, to.type))
  return convert && ((value) => accepted(convert(value), target))
}

function digits({ precision, scale }: FieldDefinition): { readonly precision?: number; readonly scale?: number } {
  return { ...(precision !== undefined && { precision }), ...(scale !== undefined && { scale }) }
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
function byText(source: ValueType, from: FieldKind, to: FieldKind): Conversion | undefined {
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
