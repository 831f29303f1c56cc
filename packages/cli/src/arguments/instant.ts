import { WrongUse } from '../faults.ts'

const form = /^(\d{4}-\d{2}-\d{2})([Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})?)?$/

/**
 * Reads an instant: a date, which is its beginning in UTC, or a date with a time. A time without an offset is in UTC.
 *
 * @throws WrongUse for what is none
 * @example readInstant('since', '2026-01-31') // 2026-01-31T00:00:00.000Z
 */
export function readInstant(name: string, value: string | undefined): Date | undefined {
  if (value === undefined) return undefined
  const [, date, time, , , offset] = form.exec(value) ?? []
  if (date !== undefined) {
    const text = `${date}T${time?.slice(1) ?? '00:00'}${offset === undefined ? 'Z' : ''}`.toUpperCase()
    const instant = new Date(text)
    // A day that the month does not have is moved to the next one.
    if (!Number.isNaN(instant.getTime()) && new Date(`${date}T00:00Z`).toISOString().startsWith(date)) return instant
  }
  throw new WrongUse(`--${name} takes a date or an instant: 2026-01-31, 2026-01-31T12:00:00Z.`)
}
