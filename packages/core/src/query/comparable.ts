import type { Field, FieldKind } from '../model/model.ts'

/** How a message names each kind of field. */
export const kindNames: Readonly<Record<FieldKind, string>> = {
  text: 'text',
  uuid: 'a UUID',
  integer: 'a whole number',
  int64: 'a 64-bit integer',
  number: 'a number',
  boolean: 'true or false',
  decimal: 'a decimal',
  datetime: 'an instant',
  date: 'a date',
  json: 'JSON',
  bytes: 'bytes',
}

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Text that can be stored: no NUL, no lone surrogate. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0') && value.isWellFormed()
}

/** Whether a value is of the field's kind; it need not be one that the field may hold, as an e-mail address or an enum. */
export function isComparable(field: Field, value: unknown): boolean {
  switch (field.kind) {
    case 'text':
      return isText(value)
    case 'uuid':
      return typeof value === 'string' && uuidPattern.test(value)
    case 'integer':
      return Number.isSafeInteger(value)
    case 'number':
      return Number.isFinite(value)
    case 'bytes':
      return value instanceof Uint8Array
    case 'json':
      return false
    default:
      return field.check(value) === undefined
  }
}

/** Names a value in a message without showing it: it may be somebody's secret. */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Date) return 'a Date'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
