import type { Operation } from '../hooks/events.ts'
import { queueCommitHooks, runHooks } from '../hooks/run.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { deleteRows } from '../query/rows.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { type DeleteMode, type DeleteWalk, settleReferrers, walkKey } from './cascade.ts'
import { stampUpdated } from './stamps.ts'
import { storeChanges } from './update.ts'
import { withNamedConflicts } from './violation.ts'

/**
 * The order of a delete, for one record or many: hooks, what points here, the records themselves, their audit entries.
 * Answers the records as they were left.
 */
export function* deleteRecords(
  bound: BoundAccessor,
  session: Session,
  found: readonly FieldValues[],
  mode: DeleteMode,
  walk: DeleteWalk = new Set(),
): Task<FieldValues[]> {
  const records = found.filter((record) => remember(walk, bound, record))
  if (records.length === 0) return []
  const operation = operationOf(bound, mode)
  const changes = records.map((previous) => ({ previous, record: { ...previous } }))
  yield* runHooks(bound.units, bound.hooks, 'beforeDelete', session, operation, changes)
  yield* settleReferrers(bound, session, records, mode, walk, (source, children, how) => deleteRecords(source, session, children, how, walk))
  if (mode === 'soft') yield* markDeleted(bound, session, changes)
  else yield* remove(bound, session, records)
  const audited = changes.map(({ previous, record }) => ({ before: previous, after: mode === 'soft' ? record : null }))
  yield* bound.audit.recordChanges(session.connection, session.context, bound.subject, operation, audited)
  yield* runHooks(bound.units, bound.hooks, 'afterDelete', session, operation, changes)
  queueCommitHooks(bound.hooks, session, operation, changes)
  return audited.map(({ before, after }) => after ?? before)
}

function remember(walk: DeleteWalk, bound: BoundAccessor, record: FieldValues): boolean {
  const key = walkKey(bound, record)
  if (walk.has(key)) return false
  walk.add(key)
  return true
}

function operationOf(bound: BoundAccessor, mode: DeleteMode): Operation {
  if (mode === 'soft') return 'soft_delete'
  return bound.model.deletedAt ? 'purge' : 'delete'
}

function* markDeleted(bound: BoundAccessor, session: Session, changes: readonly { previous: FieldValues; record: FieldValues }[]): Task<void> {
  const { deletedAt } = bound.model
  if (!deletedAt) throw new Error(`${bound.model.name} has no soft delete`)
  const now = new Date()
  const marked = changes.map(({ previous, record }) => {
    // Whatever a hook did to its record, a delete changes the mark and the stamps alone.
    Object.assign(record, previous, { [deletedAt.name]: now })
    stampUpdated(bound, record, session.context)
    return { record, changed: { [deletedAt.name]: now } }
  })
  yield* storeChanges(bound, session, marked)
}

function* remove(bound: BoundAccessor, session: Session, records: readonly FieldValues[]): Task<void> {
  const ids = records.map((record) => record[bound.model.id.name])
  yield* withNamedConflicts(bound, session, [], deleteRows(bound.table, session.connection, session.context, ids))
}
