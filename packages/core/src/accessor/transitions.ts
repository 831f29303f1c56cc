import { ConflictError } from '../errors.ts'
import type { FieldValues } from '../query/bound-table.ts'
import type { BoundAccessor } from './bound-accessor.ts'

/** Throws ConflictError `state_conflict` for a change of an enum that its model does not let it make. */
export function refuseTransitions(bound: BoundAccessor, previous: FieldValues, changed: FieldValues): void {
  for (const [name, moves] of bound.model.transitions) {
    if (!(name in changed) || changed[name] === previous[name]) continue
    const following = moves.get(previous[name]) ?? []
    if (following.includes(changed[name])) continue
    const advice = following.length > 0 ? `From there it goes to ${following.join(', ')}.` : 'It stays there.'
    throw new ConflictError(
      'state_conflict',
      `The ${name} of ${bound.component} ${String(previous[bound.model.id.name])} cannot go from ${String(previous[name])} to ${String(changed[name])}. ${advice}`,
    )
  }
}
