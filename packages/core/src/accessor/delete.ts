import type { Connection } from '../engine/engine.ts'
import { queueCommitHooks, runHooks } from '../hooks/run.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { deleteRows, updateRows } from '../query/rows.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { emptyReferences, gatherDoomed, refuseRestricted } from './cascade.ts'
import { type DeletedGroup, type DeleteMode, type Doomed, type DoomedRecord, groupsOf, operationOf } from './doomed.ts'
import { isLastWrite, storeLast } from './last-write.ts'
import { lockRecordsById } from './lock.ts'
import { type Conditions, lockExpected } from './match.ts'
import { requireRecords } from './permit.ts'
import { type RemovalStep, removalSteps } from './removal-order.ts'
import { stampUpdated } from './stamps.ts'
import { storeChanges } from './update.ts'
import { withNamedConflicts } from './violation.ts'
import { deleteAlone } from './write-alone.ts'

/**
 * Deletes the record with this id, for good with `purge`, and answers it as it was left; undefined where there is none. The last of its unit.
 */
export function* deleteRecord(
  bound: BoundAccessor,
  session: Session,
  id: unknown,
  { ifMatch, ifNoneMatch }: Conditions,
  purge = false,
): Task<FieldValues | undefined> {
  const mode = purge || !bound.model.deletedAt ? 'hard' : 'soft'
  const how = { ifMatch, ifNoneMatch, includeDeleted: purge, asked: purge ? 'purge' : 'delete' } as const
  const alone = yield* deleteAlone(bound, session, id, mode, how)
  if (alone) return alone
  const found = yield* lockExpected(bound, session, id, how)
  const [previous] = found
  if (previous && bound.referrers.length === 0 && bound.hooks.at('beforeDelete').length === 0)
    return yield* deleteLone(bound, session, previous, mode)
  const [deleted] = yield* deleteRecords(bound, session, found, mode, 'last')
  return deleted
}

/** One that nothing points to, and that no hook has to see before: what goes with it, and in which order, is not to be asked. That costs as much as its statements. */
function* deleteLone(bound: BoundAccessor, session: Session, previous: FieldValues, mode: DeleteMode): Task<FieldValues> {
  yield* requireRecords(bound, session, accessOf(bound, mode), [previous])
  const doomed: DoomedRecord = { bound, mode, previous, record: { ...previous }, emptied: new Set() }
  const ends = isLastWrite(bound, session.ending(), 'afterDelete', 'delete', 1)
  if (mode === 'soft') yield* markDeleted([doomed], session, ends)
  else yield* remove({ type: 'remove', records: [doomed] }, session, ends)
  return mode === 'soft' ? doomed.record : previous
}

function accessOf({ model }: BoundAccessor, mode: DeleteMode): 'purge' | 'delete' {
  return mode === 'hard' && model.deletedAt ? 'purge' : 'delete'
}

/**
 * The order of a delete, for one record or many: hooks, what points here, the records themselves, their audit entries.
 * Answers the records as they were left. `rest` says whether others follow in the unit.
 */
export function* deleteRecords(
  bound: BoundAccessor,
  session: Session,
  found: readonly FieldValues[],
  mode: DeleteMode,
  rest: 'last' | 'others' = 'others',
): Task<FieldValues[]> {
  if (found.length === 0) return []
  const doomed = yield* deleteTogether(session, [{ bound, found, mode }], rest)
  return found.flatMap((record) => {
    const { mode: how, record: left, previous } = doomed.get(bound, record) ?? {}
    const answer = how === 'soft' ? left : previous
    return answer ? [answer] : []
  })
}

/** The same for records of several components, which may point to each other. Answers all that went. */
export function* deleteTogether(session: Session, groups: readonly DeletedGroup[], rest: 'last' | 'others' = 'others'): Task<Doomed> {
  for (const { bound, found, mode } of groups) yield* requireRecords(bound, session, accessOf(bound, mode), found)
  const images = new Images(session)
  const doomed = yield* gatherDoomed(session, groups)
  yield* refuseRestricted(doomed, session)
  yield* emptyReferences(doomed, session)
  yield* images.renew(doomed, doomed.all())
  for (const group of groupsOf(doomed.all().toReversed()))
    yield* markDeleted(yield* images.renew(doomed, group), session, rest === 'last' && isLast(doomed, session))
  const steps = removalSteps(doomed)
  for (const step of steps) {
    const records = yield* images.renew(doomed, step.records)
    yield* remove({ ...step, records }, session, rest === 'last' && steps.length === 1 && isLast(doomed, session))
  }
  return doomed
}

/** What goes along was emptied and deleted before. */
function isLast(doomed: Doomed, session: Session): boolean {
  const [only, ...others] = doomed.all()
  return only !== undefined && others.length === 0 && isLastWrite(only.bound, session.ending(), 'afterDelete', 'delete', 1)
}

/** A hook may write to records that are about to go: the log tells what was there at the end. */
class Images {
  readonly #session: Session
  #nested: number

  constructor(session: Session) {
    this.#session = session
    this.#nested = session.nestedCount
  }

  /** Reads the records again where anybody has written since they were read; those that are gone already are left out. */
  *renew(doomed: Doomed, records: readonly DoomedRecord[]): Task<readonly DoomedRecord[]> {
    if (this.#session.nestedCount === this.#nested) return records
    const left: DoomedRecord[] = []
    for (const group of groupsOf(records)) {
      const current = yield* readAgain(group, this.#session)
      for (const record of group) {
        const now = current.get(record.previous[record.bound.model.id.name])
        if (now) left.push(record)
        else doomed.remove(record)
        record.previous = now ? Object.assign(now, record.taken) : record.previous
      }
    }
    return left
  }
}

function* readAgain(group: readonly DoomedRecord[], session: Session): Task<Map<unknown, FieldValues>> {
  const [{ bound, mode }] = group as [DoomedRecord]
  const { name } = bound.model.id
  const ids = group.map(({ previous }) => previous[name])
  const rows = yield* lockRecordsById(bound, session, ids, { includeDeleted: mode === 'hard' })
  return new Map(rows.map((row) => [row[name], row]))
}

function* markDeleted(group: readonly DoomedRecord[], session: Session, ends: boolean): Task<void> {
  const [first] = group
  const deletedAt = first?.bound.model.deletedAt
  if (first?.mode !== 'soft' || !deletedAt) return
  const { bound } = first
  const now = new Date()
  const marked = group.map(({ record, previous, emptied }) => {
    const changed: FieldValues = { [deletedAt.name]: now }
    for (const name of emptied) changed[name] = null
    // Whatever a hook did to its record, a delete changes the mark, the stamps and references that go empty alone.
    Object.assign(record, previous, changed)
    stampUpdated(bound, record, session.context, now)
    return { record, changed }
  })
  const store = (connection: Connection): Task<unknown> => storeChanges(bound, session, marked, connection)
  yield* finish(group, session, ends, store)
}

function* remove(step: RemovalStep, session: Session, ends: boolean): Task<void> {
  const bound = step.records[0]?.bound
  if (!bound) return
  const { connection, context } = session
  if (step.type === 'empty') {
    // No entry tells of this: the row goes in the same unit, and its entry has the reference.
    const rows = step.records.map(({ previous }) => previous)
    yield* updateRows(bound.table, connection, context, rows, { [step.link.field.name]: null })
    return
  }
  const ids = step.records.map(({ previous }) => previous[bound.model.id.name])
  const store = (last: Connection): Task<unknown> => deleteRows(bound.table, last, context, ids, { expected: true })
  yield* finish(step.records, session, ends, store)
}

function* finish(
  group: readonly DoomedRecord[],
  session: Session,
  ends: boolean,
  store: (connection: Connection) => Task<unknown>,
): Task<void> {
  const [{ bound, mode }] = group as [DoomedRecord]
  const operation = operationOf(bound, mode)
  const audited = group.map(({ previous, record }) => ({ before: previous, after: mode === 'soft' ? record : null }))
  const tell = (connection: Connection): Task<void> =>
    bound.audit.recordChanges(connection, session.context, bound.subject, operation, audited)
  const removed = group.map(({ previous }) => previous)
  yield* withNamedConflicts(bound, session, removed, storeLast(session, ends, store, tell), 'remove')
  yield* runHooks(bound.units, bound.hooks, 'afterDelete', session, operation, group)
  queueCommitHooks(bound.hooks, session, operation, group)
}
