import { ConflictError } from '../errors.ts'
import { queueCommitHooks, runHooks } from '../hooks/run.ts'
import type { FieldValues } from '../query/bound-table.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { changedFields } from './changed-fields.ts'
import { type Conditions, lockExpected } from './match.ts'
import { requireRecords, requireTargets } from './permit.ts'
import { checkRecordLimit } from './record-limit.ts'
import { stampUpdated } from './stamps.ts'
import { prepareRecords, storeChanges } from './update.ts'
import { restoreAlone } from './write-alone.ts'

/** Brings the record with this id back, and answers it; undefined where it is not deleted, or not there. The last of its unit. */
export function* restoreRecord(
  bound: BoundAccessor,
  session: Session,
  id: unknown,
  { ifMatch, ifNoneMatch }: Conditions,
): Task<FieldValues | undefined> {
  const alone = yield* restoreAlone(bound, session, id, { ifMatch, ifNoneMatch })
  if (alone) return alone
  const found = yield* lockExpected(bound, session, id, { ifMatch, ifNoneMatch, includeDeleted: true, asked: 'restore' })
  const [restored] = yield* restoreRecords(bound, session, found)
  return restored
}

/**
 * The order of a restore, for one record or many. Answers the records that were deleted and are back.
 * @param contentOf the fields that a record gets with it
 */
export function* restoreRecords(
  bound: BoundAccessor,
  session: Session,
  found: readonly FieldValues[],
  contentOf: (deleted: FieldValues) => FieldValues = () => ({}),
): Task<FieldValues[]> {
  const { deletedAt } = bound.model
  if (!deletedAt) throw new ConflictError('state_conflict', `${bound.component} keeps no deleted records, so none can be restored.`)
  const deleted = found.filter((record) => record[deletedAt.name] !== null)
  yield* requireRecords(bound, session, 'restore', found)
  if (deleted.length === 0) return []
  const changes = deleted.map((previous) => ({ previous, record: { ...previous, ...contentOf(previous), [deletedAt.name]: null } }))
  yield* prepareRecords(bound, session, 'restore', changes)
  const now = new Date()
  for (const { record } of changes) stampUpdated(bound, record, session.context, now)
  const stored = changes.map(({ previous, record }) => ({ record, changed: changedFields(bound.model, previous, record) }))
  yield* requireTargets(bound, session, stored)
  yield* storeChanges(bound, session, stored)
  const audited = changes.map(({ previous, record }) => ({ before: previous, after: record }))
  yield* bound.audit.recordChanges(session.connection, session.context, bound.subject, 'restore', audited)
  yield* runHooks(bound.units, bound.hooks, 'afterRestore', session, 'restore', changes)
  checkRecordLimit(bound, session)
  queueCommitHooks(bound.hooks, session, 'restore', changes)
  return changes.map((change) => change.record)
}
