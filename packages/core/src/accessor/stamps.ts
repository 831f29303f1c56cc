import type { Field } from '../model/model.ts'
import type { FieldValues } from '../query/bound-table.ts'
import type { UnitContext } from '../session/context.ts'
import type { BoundAccessor } from './bound-accessor.ts'

/** When and by whom a new record was made and last changed. */
export function createdStamps(bound: BoundAccessor, context: UnitContext): FieldValues {
  const { stamps } = bound.model
  if (!stamps) return {}
  const now = new Date()
  return {
    [stamps.createdAt.name]: now,
    [stamps.updatedAt.name]: now,
    [stamps.createdBy.name]: stampedActor(stamps.createdBy, context),
    [stamps.updatedBy.name]: stampedActor(stamps.updatedBy, context),
  }
}

/** Says in a record when and by whom it is changed; `now` is the same for all records of one write, which are stored together. */
export function stampUpdated(bound: BoundAccessor, record: FieldValues, context: UnitContext, now: Date): void {
  const { stamps } = bound.model
  if (!stamps) return
  record[stamps.updatedAt.name] = new Date(now)
  record[stamps.updatedBy.name] = stampedActor(stamps.updatedBy, context)
}

function stampedActor(field: Field, context: UnitContext): unknown {
  if (!field.reference) return context.actor
  return context.principal?.id ?? null
}
