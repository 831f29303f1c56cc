import type { AccessOperation } from '../access/rule.ts'
import { deleteMoments, insertMoments, updateMoments } from '../hooks/moments.ts'
import type { ReadOptions } from '../session/options.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { allowsEvery } from './permit.ts'

/** The moments of the hooks of each write of one record that may need no savepoint. */
export const momentsOf = { create: insertMoments, update: updateMoments, delete: deleteMoments, purge: deleteMoments } as const

export type LoneOperation = keyof typeof momentsOf & AccessOperation

/**
 * Whether a write of one record changes nothing before all that could refuse it has had its say: no hook, rule or limit comes after its first
 * statement, and nothing goes along with what is deleted.
 */
export function failsEarly(bound: BoundAccessor, operation: LoneOperation, options: ReadOptions): boolean {
  const { hooks, maxRecords, access, referrers, units } = bound
  const moments = momentsOf[operation]
  if (maxRecords !== undefined) return false
  if (moments === deleteMoments && referrers.length > 0) return false
  if (moments.some((moment) => hooks.at(moment).length > 0)) return false
  if (access === undefined) return true
  // Of a caller who is named here the unit would ask the rules once more.
  return options.principal === undefined && allowsEvery(bound, units.callerOf(options), operation)
}
