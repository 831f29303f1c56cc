import type { HookMoment } from '../hooks/events.ts'
import { deleteMoments } from '../hooks/moments.ts'
import type { BoundAccessor } from './bound-accessor.ts'

/**
 * Whether a write of one record changes nothing before all that could refuse it has had its say: no hook, rule or limit comes after its first
 * statement, and nothing goes along with what is deleted.
 */
export function failsEarly({ hooks, maxRecords, access, referrers }: BoundAccessor, moments: readonly HookMoment[]): boolean {
  if (maxRecords !== undefined || access !== undefined) return false
  if (moments === deleteMoments && referrers.length > 0) return false
  return moments.every((moment) => hooks.at(moment).length === 0)
}
