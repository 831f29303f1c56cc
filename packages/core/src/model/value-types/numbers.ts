import type { TSchema } from 'typebox'
import { DefinitionFault } from '../definition-fault.ts'
import { publishedSchema } from './published-schema.ts'
import { remainingCheck } from './schema-check.ts'
import { type FieldNotes, notesOf, same, type ValueType } from './value-type.ts'

const boundKeywords = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'] as const
const checkedKeywords = ['type', ...boundKeywords]

type NumberCheck = (value: number) => string | undefined

/** -0 is stored as 0: SQLite's integers have no sign to it, and JSON Canonicalization drops it. */
export function withoutNegativeZero(value: unknown): unknown {
  return value === 0 ? 0 : value
}

/** A `Type.Integer`: a number within ±(2^53 - 1). */
export function integerType(schema: TSchema): ValueType {
  const bounds = boundsCheck(schema)
  const remaining = remainingCheck(schema, checkedKeywords)
  return {
    kind: 'integer',
    schema: { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER, ...publishedSchema(schema) },
    check: (value) => {
      if (typeof value !== 'number' || !Number.isInteger(value)) return 'must be a whole number'
      if (!Number.isSafeInteger(value)) return 'must be a whole number within ±(2^53 - 1), which JSON carries exactly'
      return bounds?.(value) ?? remaining?.(value)
    },
    normalise: withoutNegativeZero,
    toJson: same,
    fromJson: same,
  }
}

/** A `Type.Number`: finite, with the precision of a double. */
export function numberType(schema: TSchema): ValueType {
  const bounds = boundsCheck(schema)
  const remaining = remainingCheck(schema, checkedKeywords)
  return {
    kind: 'number',
    schema: publishedSchema(schema),
    check: (value) => {
      if (typeof value !== 'number') return 'must be a number'
      if (!Number.isFinite(value)) return 'must be a finite number'
      return bounds?.(value) ?? remaining?.(value)
    },
    normalise: withoutNegativeZero,
    toJson: same,
    fromJson: same,
  }
}

function boundsCheck(schema: TSchema): NumberCheck | undefined {
  const checks: NumberCheck[] = []
  for (const keyword of boundKeywords) {
    const given: unknown = Reflect.get(schema, keyword)
    if (given === undefined) continue
    if (typeof given !== 'bigint' && !Number.isFinite(given)) throw new DefinitionFault(`has a ${keyword} that is not a number`)
    checks.push(boundCheck(keyword, Number(given)))
  }
  if (checks.length === 0) return undefined
  return (value) => {
    for (const check of checks) {
      const found = check(value)
      if (found !== undefined) return found
    }
    return undefined
  }
}

function boundCheck(keyword: (typeof boundKeywords)[number], bound: number): NumberCheck {
  switch (keyword) {
    case 'minimum':
      return (value) => (value >= bound ? undefined : `must be at least ${bound}`)
    case 'maximum':
      return (value) => (value <= bound ? undefined : `must be at most ${bound}`)
    case 'exclusiveMinimum':
      return (value) => (value > bound ? undefined : `must be above ${bound}`)
    case 'exclusiveMaximum':
      return (value) => (value < bound ? undefined : `must be below ${bound}`)
  }
}

const lowestInt64 = -(2n ** 63n)
const highestInt64 = 2n ** 63n - 1n
const int64Pattern = /^-?(0|[1-9]\d{0,18})$/

/** A 64-bit integer: `bigint` in code, text in JSON. */
export function int64Type(options: FieldNotes): ValueType {
  return {
    kind: 'int64',
    schema: { ...notesOf(options), type: 'string', pattern: int64Pattern.source } as TSchema,
    check: (value) => {
      if (typeof value === 'bigint') return value >= lowestInt64 && value <= highestInt64 ? undefined : 'must be within -2^63 and 2^63 - 1'
      if (typeof value === 'number')
        return 'must be a bigint in code; in JSON a number must be whole and within ±(2^53 - 1), send larger ones as text'
      return 'must be a 64-bit integer: a bigint in code, text like "9007199254740993" in JSON'
    },
    normalise: same,
    toJson: String,
    fromJson: (value) => {
      if (typeof value === 'string') return int64Pattern.test(value) ? BigInt(value) : value
      return Number.isSafeInteger(value) ? BigInt(value as number) : value
    },
  }
}
