import type { Reach } from '../engine/engine.ts'
import type { CallerContext } from './context.ts'
import { everyTenant } from './principal.ts'

/** Whose records there are for a caller. A principal who belongs nowhere has nothing, rather than everything. */
export function reachOf({ tenant, principal, access }: CallerContext): Reach {
  if (tenant !== null) return { tenant }
  return principal && access !== 'system' && principal.tenant !== everyTenant ? 'none' : 'every'
}
