import type { TSchema } from 'typebox'

/** The keywords by which settings are described. */
interface SettingKeywords {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly items?: TSchema
}

/**
 * Whether a value is one of a setting. TypeBox's own check says the same, which a test holds this to, and takes three hundred modules that a start would load for this alone.
 */
export function fits(schema: TSchema, value: unknown): boolean {
  const { type, enum: values, minimum, maximum, minLength = 0, maxLength, pattern, items }: SettingKeywords = schema
  if (values) return values.includes(value)
  switch (type) {
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
      return Number.isInteger(value) && isWithin(value as number, minimum, maximum)
    case 'string':
      return (
        typeof value === 'string' && isWithin([...value].length, minLength, maxLength) && (!pattern || new RegExp(pattern, 'u').test(value))
      )
    case 'array':
      return Array.isArray(value) && value.every((item) => items === undefined || fits(items, item))
    default:
      throw new Error(`a setting has a schema of a type that is not known here: ${type}`)
  }
}

function isWithin(number: number, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY): boolean {
  return number >= least && number <= most
}
