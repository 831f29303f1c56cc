import type { TSchema } from 'typebox'
import { integerType } from './numbers.ts'
import { isLongerThan, textProblem } from './text.ts'
import { same, type ValueType } from './value-type.ts'

/** Characters; longer ids do not fit into a path of a URL and an index page comfortably. */
export const longestTextId = 255

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** An id that the database counts. */
export function integerIdType(): ValueType {
  const schema: object = { type: 'integer', minimum: 1 }
  return {
    ...integerType(schema),
    check: (value) =>
      Number.isSafeInteger(value) && (value as number) >= 1 ? undefined : 'must be a whole number from 1 to 9007199254740991',
  }
}

/** A UUID of any version, kept in lower case. */
export function uuidIdType(): ValueType {
  return {
    kind: 'uuid',
    schema: { type: 'string', format: 'uuid' } as TSchema,
    check: (value) => (typeof value === 'string' && uuidPattern.test(value) ? undefined : 'must be a UUID'),
    normalise: lowerCase,
    toJson: same,
    fromJson: lowerCase,
  }
}

function lowerCase(value: unknown): unknown {
  return typeof value === 'string' ? value.toLowerCase() : value
}

/** An id that the caller gives. `.` and `..` are refused: no URL can carry them as a step of its path. */
export function textIdType(maxLength: number): ValueType {
  return {
    kind: 'text',
    schema: { type: 'string', minLength: 1, maxLength } as TSchema,
    maxLength,
    check: (value) => {
      if (typeof value !== 'string') return 'must be text'
      if (value === '') return 'must not be empty'
      if (value === '.' || value === '..') return 'must not be "." or "..", which no URL can carry'
      return isLongerThan(value, maxLength) ? `must have at most ${maxLength} characters` : textProblem(value)
    },
    normalise: same,
    toJson: same,
    fromJson: same,
  }
}
