import type { TSchema } from 'typebox'
import { instantText } from '../instant-text.ts'
import { type FieldNotes, notesOf, same, type ValueType } from './value-type.ts'

/** 0001-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z in milliseconds: what four-digit years and both engines hold. */
const earliest = -62_135_596_800_000
const latest = 253_402_300_799_999

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/
const plainDate = /^(\d{4})-(\d\d)-(\d\d)$/

/** An instant with milliseconds: `Date` in code, RFC 3339 in UTC in JSON. */
export function instantType(options: FieldNotes): ValueType {
  return {
    kind: 'datetime',
    schema: { ...notesOf(options), type: 'string', format: 'date-time' } as TSchema,
    check: (value) => {
      if (!(value instanceof Date))
        return 'must be a date and time: a Date in code, in JSON text with an offset like "2026-01-31T12:00:00Z"'
      const time = value.getTime()
      if (time >= earliest && time <= latest) return undefined
      return Number.isNaN(time) ? 'must be a valid date and time' : 'must lie in the years 0001 to 9999'
    },
    normalise: (value) => (value instanceof Date ? new Date(value.getTime()) : value),
    // `check` lets Dates through only.
    toJson: (value) => instantText(value as Date),
    fromJson: (value) => (typeof value === 'string' ? (readInstant(value) ?? value) : value),
  }
}

/** A day of the calendar without a time: 'YYYY-MM-DD' in code and in JSON. */
export function plainDateType(options: FieldNotes): ValueType {
  return {
    kind: 'date',
    schema: { ...notesOf(options), type: 'string', format: 'date' } as TSchema,
    check: (value) => {
      const parts = typeof value === 'string' ? plainDate.exec(value) : null
      if (!parts) return 'must be a date like "2026-01-31"'
      if (!isCalendarDay(Number(parts[1]), Number(parts[2]), Number(parts[3]))) return 'must be a day that the calendar has'
      return parts[1] === '0000' ? 'must lie in the years 0001 to 9999' : undefined
    },
    normalise: same,
    toJson: same,
    fromJson: same,
  }
}

/** Reads RFC 3339 with any offset; digits beyond the milliseconds are cut off. Undefined for anything else. */
function readInstant(text: string): Date | undefined {
  const parts = rfc3339.exec(text)
  if (!parts) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map(Number)
  const offsetHours = Number(parts[9] ?? 0)
  const offsetMinutes = Number(parts[10] ?? 0)
  if (!isCalendarDay(year, month, day) || hour > 23 || minute > 59 || second > 59 || offsetHours > 23 || offsetMinutes > 59)
    return undefined
  const fraction = Number((parts[7] ?? '').slice(0, 3).padEnd(3, '0'))
  const date = new Date(0)
  // Date.UTC takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second, fraction)
  const offset = (offsetHours * 60 + offsetMinutes) * (parts[8] === '-' ? -60_000 : 60_000)
  return new Date(date.getTime() - offset)
}

function isCalendarDay(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month)
}

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}
