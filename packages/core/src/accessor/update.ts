import type { Connection } from '../engine/engine.ts'
import { ConflictError, NotFoundError, ValidationError } from '../errors.ts'
import { queueCommitHooks, runHooks } from '../hooks/run.ts'
import { copyRecord } from '../model/copy-record.ts'
import type { BoundTable, FieldValues } from '../query/bound-table.ts'
import { updateRows } from '../query/rows.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import { acceptRecords, copyInput, refuseOwnedChanges, refuseOwnedFields } from './accept.ts'
import type { BoundAccessor, Link } from './bound-accessor.ts'
import { changedFields, sameValue } from './changed-fields.ts'
import { completeRecord, insertRecord } from './insert.ts'
import { isLastWrite, storeLast } from './last-write.ts'
import { lockRecord, lockRecordsById } from './lock.ts'
import { assertMatch, type Conditions } from './match.ts'
import { lockedFields, refuseLockedFields, requireRecords, requireTargets, requireTenant, unseenFields } from './permit.ts'
import { lookAgainAfterRace } from './race.ts'
import { stampUpdated } from './stamps.ts'
import { refuseTransitions } from './transitions.ts'
import { withNamedConflicts } from './violation.ts'
import { updateAlone } from './write-alone.ts'

/** A record as it stands, and as it shall be. */
export interface RecordUpdate {
  /** Renewed when a hook writes to the record meanwhile. */
  previous: FieldValues
  readonly record: FieldValues
  /** Fields that count as changed whatever they were; see `unseenFields`. */
  readonly unseen?: readonly string[]
}

/** Changes the given fields of one record. */
export function* updateRecord(
  bound: BoundAccessor,
  session: Session,
  id: unknown,
  patch: unknown,
  conditions: Conditions,
): Task<FieldValues> {
  const alone = yield* updateAlone(bound, session, id, patch, conditions)
  if (alone) return alone
  const previous = yield* lockRecord(bound, session, id, { includeDeleted: false, asked: 'update' })
  if (!previous) throw notFound(bound, id)
  assertMatch(bound, previous, conditions)
  return yield* updateOne(bound, session, patched(bound, session, previous, copyInput(givenFor(bound, previous, patch))))
}

/** A patch may be a function of the record as it stands, which nobody else changes meanwhile. */
function givenFor(bound: BoundAccessor, previous: FieldValues, patch: unknown): unknown {
  return typeof patch === 'function' ? patch(copyRecord(bound.model, previous)) : patch
}

/** Changes the given fields of records that are locked. Answers the ones that changed. */
export function* updateFound(bound: BoundAccessor, session: Session, found: readonly FieldValues[], patch: unknown): Task<FieldValues[]> {
  const given = typeof patch === 'function' ? undefined : copyInput(patch)
  const updates = found.map((previous) => patched(bound, session, previous, given ?? copyInput(givenFor(bound, previous, patch))))
  return yield* updateAsked(bound, session, updates)
}

/** Gives every field of a record: the ones left out go back to their default or null. */
export function* replaceRecord(
  bound: BoundAccessor,
  session: Session,
  id: unknown,
  input: unknown,
  conditions: Conditions,
): Task<FieldValues> {
  const previous = yield* lockRecord(bound, session, id, { includeDeleted: false, asked: 'update' })
  if (!previous) throw notFound(bound, id)
  assertMatch(bound, previous, conditions)
  const given = copyInput(givenFor(bound, previous, input))
  refuseLockedFields(bound, session.context, given, previous)
  refuseOwnedFields(bound, given, previous)
  const locked = lockedFields(bound, session.context)
  const kept: FieldValues = {}
  for (const field of bound.model.fields)
    if (field.role !== 'data' || field.immutable || locked.has(field.name)) kept[field.name] = previous[field.name]
  const record = { ...completeRecord(bound, session, { ...kept, ...given }), ...keptByModel(bound, previous) }
  return yield* updateOne(bound, session, { previous, record, unseen: unseenFields(bound, session.context, given) })
}

/** Inserts a record, or changes the given fields of the one with its id. */
export function* saveRecord(bound: BoundAccessor, session: Session, input: unknown, conditions: Conditions): Task<FieldValues> {
  const given = copyInput(input)
  const { name } = bound.model.id
  if (given[name] === undefined) assertMatch(bound, undefined, conditions)
  if (given[name] === undefined) return yield* insertRecord(bound, session, given)
  const { [name]: id, ...patch } = given
  const alone = yield* updateAlone(bound, session, id, patch, conditions)
  if (alone) return alone
  return yield* lookAgainAfterRace(bound, session, [name], () => saveIdentified(bound, session, given, conditions))
}

function* saveIdentified(bound: BoundAccessor, session: Session, given: FieldValues, conditions: Conditions): Task<FieldValues> {
  const id = given[bound.model.id.name]
  const previous = yield* lockRecord(bound, session, id, { includeDeleted: true, asked: 'read' })
  const { deletedAt } = bound.model
  const isDeleted = previous && deletedAt && previous[deletedAt.name] !== null
  // Whoever wants no record there learns that a deleted one is in the way.
  assertMatch(bound, previous, isDeleted ? { ifMatch: conditions.ifMatch } : conditions)
  if (!previous) return yield* insertRecord(bound, session, given)
  if (isDeleted) {
    throw new ConflictError('state_conflict', `${bound.component} ${String(id)} is deleted. Restore it first.`)
  }
  return yield* updateOne(bound, session, patched(bound, session, previous, given))
}

function patched(bound: BoundAccessor, session: Session, previous: FieldValues, given: FieldValues): RecordUpdate {
  refuseLockedFields(bound, session.context, given, previous)
  refuseOwnedFields(bound, given, previous)
  return { previous, record: { ...previous, ...given }, unseen: unseenFields(bound, session.context, given) }
}

function keptByModel(bound: BoundAccessor, previous: FieldValues): FieldValues {
  const kept: FieldValues = {}
  for (const field of bound.model.fields) if (field.role !== 'data' && !field.hidden) kept[field.name] = previous[field.name]
  return kept
}

function* updateOne(bound: BoundAccessor, session: Session, update: RecordUpdate): Task<FieldValues> {
  const [changed] = yield* updateAsked(bound, session, [update])
  return changed ?? update.previous
}

/** One of the changes that an update makes. */
export interface StoredChange {
  readonly record: FieldValues
  readonly changed: FieldValues
}

/** What is done otherwise where records come as they were elsewhere. */
export interface UpdateSteps {
  readonly stamp: typeof stampUpdated
  readonly store: (changes: readonly StoredChange[]) => Task<void>
  /** Whether the target of a reference may come later in the unit. */
  readonly mayWait?: (link: Link) => boolean
}

/** An update that a caller asks for: it must be allowed for the records as they stand, and as they are left. */
export function* updateAsked(
  bound: BoundAccessor,
  session: Session,
  updates: readonly RecordUpdate[],
  steps?: UpdateSteps,
): Task<FieldValues[]> {
  yield* requireRecords(
    bound,
    session,
    'update',
    updates.map(({ previous }) => previous),
  )
  const changed = yield* updateRecords(bound, session, updates, steps)
  yield* requireRecords(bound, session, 'update', changed)
  return changed
}

/** The order of an update, for one record or many. Answers the records that changed; the others get no row, entry or after-hook. */
export function* updateRecords(
  bound: BoundAccessor,
  session: Session,
  updates: readonly RecordUpdate[],
  steps?: UpdateSteps,
): Task<FieldValues[]> {
  if (updates.length === 0) return []
  yield* prepareRecords(bound, session, 'update', updates)
  const now = new Date()
  const changes: { previous: FieldValues; record: FieldValues; changed: FieldValues }[] = []
  for (const { previous, record, unseen } of updates) {
    const changed = changedFields(bound.model, previous, record, unseen)
    if (Object.keys(changed).length === 0) continue
    if (bound.model.id.name in changed) throw new ValidationError([{ path: bound.model.id.name, message: 'cannot change' }])
    refuseTransitions(bound, previous, changed)
    const stamp = steps?.stamp ?? stampUpdated
    stamp(bound, record, session.context, now)
    changes.push({ previous, record, changed })
  }
  if (changes.length === 0) return []
  requireTenant(
    bound,
    session.context,
    changes.map(({ record }) => record),
  )
  yield* requireTargets(bound, session, changes, steps?.mayWait)
  const audited = changes.map(({ previous, record }) => ({ before: previous, after: record }))
  const isLast = !steps && isLastWrite(bound, session, 'afterUpdate', 'update', changes.length)
  const stored = storeLast(
    session,
    isLast,
    (connection) => (steps ? steps.store(changes) : storeChanges(bound, session, changes, connection)),
    (connection) => bound.audit.recordChanges(connection, session.context, bound.subject, 'update', audited),
  )
  // Where the statements leave together, their refusals arrive together.
  yield* isLast
    ? withNamedConflicts(
        bound,
        session,
        changes.map(({ record }) => record),
        stored,
      )
    : stored
  yield* runHooks(bound.units, bound.hooks, 'afterUpdate', session, 'update', changes)
  queueCommitHooks(bound.hooks, session, 'update', changes)
  return changes.map((change) => change.record)
}

/** Calls the before-hooks of an update or restore, and checks what they made of the records. */
export function* prepareRecords(
  bound: BoundAccessor,
  session: Session,
  operation: 'update' | 'restore',
  updates: readonly RecordUpdate[],
): Task<void> {
  const moment = operation === 'update' ? 'beforeUpdate' : 'beforeRestore'
  const records = updates.map((update) => update.record)
  const drafts = bound.hooks.at(moment).length > 0 ? records.map((record) => ({ ...record })) : []
  const nestedBefore = session.nestedCount
  yield* runHooks(bound.units, bound.hooks, moment, session, operation, updates)
  refuseOwnedChanges(bound, drafts, records)
  acceptRecords(
    bound,
    records,
    updates.map(({ previous }) => previous),
  )
  if (session.nestedCount > nestedBefore) yield* rebase(bound, session, operation, updates)
}

/** A hook may have written to these very records: the changes are made to what is there now. */
function* rebase(bound: BoundAccessor, session: Session, operation: 'update' | 'restore', updates: readonly RecordUpdate[]): Task<void> {
  const { id, deletedAt, fields } = bound.model
  const ids = updates.map(({ previous }) => previous[id.name])
  const current = new Map((yield* lockRecordsById(bound, session, ids, { includeDeleted: true })).map((row) => [row[id.name], row]))
  for (const update of updates) {
    const { previous, record } = update
    const now = current.get(previous[id.name])
    if (!now || (deletedAt && (now[deletedAt.name] === null) !== (previous[deletedAt.name] === null))) {
      throw new ConflictError(
        'state_conflict',
        `A hook has deleted or restored ${bound.component} ${String(previous[id.name])} during its ${operation}.`,
      )
    }
    for (const field of fields) if (sameValue(field, record[field.name], previous[field.name])) record[field.name] = now[field.name]
    update.previous = now
  }
}

/** One statement for all records that get the same values. */
export function* storeChanges(
  bound: BoundAccessor,
  session: Session,
  changes: readonly StoredChange[],
  connection: Connection = session.connection,
): Task<void> {
  const groups = new Map<string, { records: FieldValues[]; values: FieldValues }>()
  for (const { record, changed } of changes) {
    const key = changes.length === 1 ? '' : valuesKey(bound.table, changed)
    const group = groups.get(key)
    if (group) group.records.push(record)
    else groups.set(key, { records: [record], values: { ...changed, ...updateStamps(bound, record) } })
  }
  const records = changes.map((change) => change.record)
  for (const { records: group, values } of groups.values()) {
    const work = updateRows(bound.table, connection, session.context, group, values, { expected: true })
    yield* withNamedConflicts(bound, session, records, work)
  }
}

function updateStamps(bound: BoundAccessor, record: FieldValues): FieldValues {
  const { stamps } = bound.model
  if (!stamps) return {}
  return { [stamps.updatedAt.name]: record[stamps.updatedAt.name], [stamps.updatedBy.name]: record[stamps.updatedBy.name] }
}

function valuesKey(table: BoundTable, values: FieldValues): string {
  return (
    JSON.stringify(Object.entries(values), (_name, value: unknown) => {
      if (typeof value === 'bigint') return `${value}n`
      return value instanceof Uint8Array ? { bytes: Buffer.from(value).toString('base64') } : value
    }) + table.model.name
  )
}

export function notFound(bound: BoundAccessor, id: unknown): NotFoundError {
  return new NotFoundError(`${bound.component} has no record ${String(id)}.`)
}
