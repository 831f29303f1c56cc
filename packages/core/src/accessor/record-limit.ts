import { ConflictError } from '../errors.ts'
import { everything } from '../query/filter.ts'
import { countRows } from '../query/rows.ts'
import type { Session } from '../session/session.ts'
import { type Task, wait } from '../session/task.ts'
import type { BoundAccessor } from './bound-accessor.ts'

/**
 * Holds the model to its record limit when the unit commits. Two units that count at once would both pass,
 * so the table is locked for the rest of the unit, which is why this is the unit's last step.
 */
export function checkRecordLimit(bound: BoundAccessor, session: Session): void {
  const { maxRecords, model } = bound
  if (maxRecords === undefined) return
  session.beforeCommit(`record limit of ${model.name}`, function* (unit: Session): Task<void> {
    yield* wait(unit.connection.lockTable(model.name))
    const live = { filter: everything, includeDeleted: false }
    // Those of all tenants, whoever writes.
    const count = yield* countRows(bound.table, unit.connection.heldTo('every'), undefined, live, maxRecords + 1)
    if (count <= maxRecords) return
    throw new ConflictError(
      'record_limit',
      `${bound.component} may hold ${maxRecords} records and is full. Delete some, or raise the limit.`,
    )
  })
}
