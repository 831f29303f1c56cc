import { ForbiddenError } from '../errors.ts'
import type { Units } from './units.ts'

/**
 * Refuses what is about the whole database to whoever belongs to one tenant: no condition could hold it to the records of that tenant.
 * Code that acts for itself says `actingAs({ access: 'system' }, …)`. Throws ForbiddenError.
 */
export function requireWholeDatabase(units: Units, what: string): void {
  const { tenant, access } = units.callerOf({})
  if (tenant !== null && access !== 'system') throw new ForbiddenError(`You belong to one tenant, and ${what} the whole database.`)
}
