import { DateTime, defineModel } from '@strongroom/core'
import { queryValue } from './query.ts'

/** The parameters that are instants, read as every DateTime field is. */
const instants = defineModel('instants', { since: DateTime(), until: DateTime(), at: DateTime(), from: DateTime(), to: DateTime() })

/** A parameter that is an instant. Throws InvalidQueryError that names it. */
export function readInstant(name: 'since' | 'until' | 'at' | 'from' | 'to', value: string | undefined): Date | undefined {
  const field = instants.fieldsByName.get(name)
  // A DateTime field gives Dates, or throws.
  return value === undefined || !field ? undefined : (queryValue(field, value) as Date)
}

/** An instant in a body; undefined for what is none. */
export function instantOf(value: unknown): Date | undefined {
  const field = instants.fieldsByName.get('at')
  const time = typeof value === 'string' ? field?.fromJson(value) : undefined
  return time instanceof Date && field?.check(time) === undefined ? time : undefined
}
