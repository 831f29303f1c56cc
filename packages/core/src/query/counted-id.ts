import { ConflictError, StrongroomError } from '../errors.ts'
import type { BoundTable } from './bound-table.ts'

/** Ids past 2^53 would be read as their neighbours: whoever took the highest one was the last. */
export function countedId({ model }: BoundTable, given: unknown): number {
  if (given === undefined) throw passedOver({ model })
  const id = Number(given)
  if (Number.isSafeInteger(id)) return id
  throw idsUsedUp({ model })
}

/** Triggers of the app's own may skip a record, and say nothing of it: nobody is to hear that it was stored. */
export function passedOver({ model }: Pick<BoundTable, 'model'>): StrongroomError {
  const advice = 'Look for triggers of your own on its table that skip rows, and let them raise an error instead.'
  return new StrongroomError('internal_error', `The database has not stored or removed a record of ${model.name}. ${advice}`)
}

export function idsUsedUp({ model }: Pick<BoundTable, 'model'>): ConflictError {
  return new ConflictError('state_conflict', `${model.name} has given its highest possible id away, and has none left for another record.`)
}
