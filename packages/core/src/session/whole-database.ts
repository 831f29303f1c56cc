import { ForbiddenError, UsageError } from '../errors.ts'
import type { Units } from './units.ts'

/**
 * Refuses what is about the whole database to whoever belongs to one tenant: no condition could hold it to the records of that tenant.
 * Code that acts for itself says `actingAs({ access: 'system' }, …)`. Throws ForbiddenError.
 */
export function requireWholeDatabase(units: Units, what: string): void {
  const { tenant, access } = units.callerOf({})
  if (tenant !== null && access !== 'system') throw new ForbiddenError(`You belong to one tenant, and ${what} the whole database.`)
}

/** Refuses inside a transaction or hook what is a unit of its own: it would wait for the one that waits for it. */
export function requireOutside(units: Pick<Units, 'isInside'>, call: string): void {
  if (units.isInside())
    throw new UsageError('outer_handle', `storage.${call}() was called inside a transaction or hook. It is a unit of its own.`)
}

/** Refuses a restore inside a transaction or hook, and to whoever belongs to one tenant. */
export function requireRestorable(units: Units, call: 'restore' | 'undoRestore'): void {
  requireOutside(units, call)
  requireWholeDatabase(units, 'a restore replaces')
}
