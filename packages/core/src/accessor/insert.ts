import { queueCommitHooks, runHooks } from '../hooks/run.ts'
import { makeUuid } from '../model/uuid.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { insertRows } from '../query/rows.ts'
import { tenantValue } from '../query/scope.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import { acceptRecords, copyInput, refuseOwnedChanges, refuseOwnedFields } from './accept.ts'
import type { BoundAccessor, Link } from './bound-accessor.ts'
import { isLastInsert, isLastWrite, storeLast } from './last-write.ts'
import { refuseLockedFields, requireOperation, requireRecords, requireTargets, requireTenant } from './permit.ts'
import { checkRecordLimit } from './record-limit.ts'
import { createdStamps } from './stamps.ts'
import { withNamedConflicts } from './violation.ts'

/** The order of an insert, for one record or many. Answers the records as they are stored. */
export function* insertRecords(bound: BoundAccessor, session: Session, inputs: readonly unknown[]): Task<FieldValues[]> {
  requireOperation(bound, session.context, 'create')
  if (inputs.length === 0) return []
  const records = inputs.map((input) => draftRecord(bound, session, input))
  return yield* insertDrafts(bound, session, records, insertRows(bound.table, session.connection, records))
}

/** The same for one record. */
export function* insertRecord(bound: BoundAccessor, session: Session, input: unknown): Task<FieldValues> {
  const [record] = yield* insertRecords(bound, session, [input])
  if (!record) throw new Error('an insert of one record answered none')
  return record
}

/** The same for records that are whole; `store` puts them into the table, once they were accepted. */
export function* insertDrafts(
  bound: BoundAccessor,
  session: Session,
  records: FieldValues[],
  store: Task<void>,
  mayWait?: (link: Link) => boolean,
): Task<FieldValues[]> {
  const changes = records.map((record) => ({ record, previous: null }))
  const drafts = bound.hooks.at('beforeInsert').length > 0 ? records.map((record) => ({ ...record })) : []
  yield* runHooks(bound.units, bound.hooks, 'beforeInsert', session, 'create', changes)
  refuseOwnedChanges(bound, drafts, records, true)
  keepUpdateStamps(bound, drafts, records)
  acceptRecords(bound, records)
  requireTenant(bound, session.context, records)
  yield* requireTargets(bound, session, changes, mayWait)
  const [first] = records
  if (first && isLastInsert(bound, session, records)) {
    const { connection, context } = session
    yield* withNamedConflicts(
      bound,
      session,
      records,
      bound.audit.insertLast(connection, context, bound.subject, bound.table, first),
      'insert',
    )
  } else {
    yield* withNamedConflicts(bound, session, records, store, 'insert')
    yield* requireRecords(bound, session, 'create', records)
    const audited = records.map((after) => ({ before: null, after }))
    yield* storeLast(session, isLastWrite(bound, session, 'afterInsert', 'create', records.length), undefined, (connection) =>
      bound.audit.recordChanges(connection, session.context, bound.subject, 'create', audited),
    )
  }
  yield* runHooks(bound.units, bound.hooks, 'afterInsert', session, 'create', changes)
  checkRecordLimit(bound, session)
  queueCommitHooks(bound.hooks, session, 'create', changes)
  return records
}

/** As in an update: what hooks make of the stamps of the last change is passed over. */
function keepUpdateStamps({ model: { stamps } }: BoundAccessor, drafts: readonly FieldValues[], records: readonly FieldValues[]): void {
  if (!stamps) return
  drafts.forEach((draft, index) => {
    for (const { name } of [stamps.updatedAt, stamps.updatedBy]) Object.assign(records[index] ?? {}, { [name]: draft[name] })
  })
}

/** A record as the hooks first see it: the input with defaults, id and stamps. */
function draftRecord(bound: BoundAccessor, session: Session, input: unknown): FieldValues {
  const given = copyInput(input)
  refuseLockedFields(bound, session.context, given)
  refuseOwnedFields(bound, given, undefined)
  return completeRecord(bound, session, given)
}

/** Fills what the input leaves out: defaults, null, a made id; and stamps it. */
export function completeRecord(bound: BoundAccessor, session: Session, given: FieldValues): FieldValues {
  const { model } = bound
  const record: FieldValues = {}
  const stamped = createdStamps(bound, session.context)
  const { tenant } = session.context
  for (const field of model.fields) {
    if (field.hidden) continue
    const value = stamped[field.name] ?? given[field.name]
    if (value !== undefined) record[field.name] = value
    else if (field === model.tenant && tenant !== null) record[field.name] = tenantValue(field, tenant)
    else if (field.makeDefault) record[field.name] = field.makeDefault()
    else if (field.role === 'id') record[field.name] = model.idType === 'uuid' ? makeUuid() : undefined
    else if (field.nullable && field.optional) record[field.name] = null
  }
  for (const name of Object.keys(given)) if (!model.fieldsByName.has(name)) record[name] = given[name]
  return record
}
