import type { AccessOperation } from '../access/rule.ts'
import type { LoneChange } from '../audit/change-with-entry.ts'
import type { HookMoment, Operation } from '../hooks/events.ts'
import { deleteMoments, restoreMoments, updateMoments } from '../hooks/moments.ts'
import { queueCommitHooks } from '../hooks/run.ts'
import type { Field } from '../model/model.ts'
import { isId } from '../model/record-id.ts'
import { makeRowVersion } from '../model/row-version.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { allOf, equals, type Filter, oneOf } from '../query/filter.ts'
import { noteVersion } from '../query/record-version.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import { isFixedOnUpdate } from './accept.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { type DeleteMode, operationOf } from './doomed.ts'
import type { Conditions } from './match.ts'
import { allowsEvery, rulesFor } from './permit.ts'
import { stampUpdated } from './stamps.ts'
import { withNamedConflicts } from './violation.ts'

/*
 * Writes of one record that nothing in this program has to see before: the database reads, changes and tells of it by one statement. They
 * answer undefined, and have done nothing, wherever that is not so, or there is nothing to change, or something to refuse: whoever calls
 * reads the record then, and knows which.
 */

/** Changes the given fields of a live record. Answers it as it is then. */
export function* updateAlone(
  bound: BoundAccessor,
  session: Session,
  id: unknown,
  patch: unknown,
  conditions: Conditions,
): Task<FieldValues | undefined> {
  if (!canWriteAlone(bound, session, id, updateMoments, 'update')) return undefined
  const filter = meant(bound, id, conditions)
  const given = filter && changeOf(bound, session, patch)
  if (!given) return undefined
  return yield* writeAlone(bound, session, { id, operation: 'update', filter, includeDeleted: false, ...given })
}

/** Deletes a record. Answers it as it was left: marked, or as it was. */
export function* deleteAlone(
  bound: BoundAccessor,
  session: Session,
  id: unknown,
  mode: DeleteMode,
  { asked, includeDeleted, ...conditions }: Conditions & { readonly asked: 'delete' | 'purge'; readonly includeDeleted: boolean },
): Task<FieldValues | undefined> {
  // What points here is looked for once nothing new can any more: when the record is locked.
  if (bound.referrers.length > 0 || !canWriteAlone(bound, session, id, deleteMoments, asked)) return undefined
  const filter = meant(bound, id, conditions)
  if (!filter) return undefined
  const { deletedAt } = bound.model
  const values = mode === 'soft' && deletedAt ? { [deletedAt.name]: new Date() } : undefined
  return yield* writeAlone(bound, session, {
    id,
    operation: operationOf(bound, mode),
    filter,
    includeDeleted,
    values,
    compared: [],
    kept: {},
  })
}

/** Brings a deleted record back. Answers it as it is then. */
export function* restoreAlone(bound: BoundAccessor, session: Session, id: unknown, conditions: Conditions): Task<FieldValues | undefined> {
  const { deletedAt } = bound.model
  if (!deletedAt || bound.maxRecords !== undefined || !canWriteAlone(bound, session, id, restoreMoments, 'restore')) return undefined
  const filter = meant(bound, id, conditions)
  if (!filter) return undefined
  const deleted = allOf(filter, { type: 'null', field: deletedAt.name, negated: true })
  const values = { [deletedAt.name]: null }
  return yield* writeAlone(bound, session, {
    id,
    operation: 'restore',
    filter: deleted,
    includeDeleted: true,
    values,
    compared: [],
    kept: {},
  })
}

/** Whether no hook, rule or reference has to see the record, and nothing else is in the unit. */
function canWriteAlone(
  bound: BoundAccessor,
  session: Session,
  id: unknown,
  moments: readonly HookMoment[],
  operation: AccessOperation,
): boolean {
  const { hooks, model, table, audit } = bound
  if (!audit.canChangeAlone(session.connection, session.context, table) || !session.isAlone || !isId(model, id)) return false
  if (hooks.commitHooks.length > 0 || moments.some((moment) => hooks.at(moment).length > 0)) return false
  if (model.stamps?.updatedBy.reference) return false
  return allowsEvery(bound, session.context, operation)
}

/** A version as this library makes it. */
const version = /^[\w-]{16}$/

/** The record with this id in one of the versions that the caller expects; undefined where the statement cannot ask for that. */
function meant({ model }: BoundAccessor, id: unknown, { ifMatch, ifNoneMatch }: Conditions): Filter | undefined {
  if (ifNoneMatch !== undefined) return undefined
  const record = equals(model.id.name, model.id.normalise(id))
  const versions = typeof ifMatch === 'string' ? [ifMatch] : ifMatch
  if (versions === undefined || versions.includes('*')) return record
  return versions.length > 0 && versions.every((each) => version.test(each))
    ? allOf(record, oneOf(model.rowVersion.name, versions))
    : undefined
}

/** The part of a change that the patch says; undefined where it is not acceptable, or has to be judged beside the record. */
function changeOf(bound: BoundAccessor, session: Session, patch: unknown): Pick<LoneChange, 'values' | 'compared' | 'kept'> | undefined {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return undefined
  const rules = rulesFor(bound, session.context)
  const limits = rules?.access.limits(rules.asker)
  const values: FieldValues = {}
  const kept: FieldValues = {}
  // Own fields of whatever object it is, as in `copyInput`.
  for (const [name, given] of Object.entries(patch as FieldValues)) {
    if (given === undefined) continue
    const field = bound.model.fieldsByName.get(name)
    if (!field || field.hidden || (rules && (field.secret || limits?.hidden.has(name) || limits?.locked.has(name)))) return undefined
    const value = given === null ? null : field.normalise(given)
    if (value === null ? !field.nullable : field.check(value) !== undefined) return undefined
    if (isKept(bound, field)) kept[name] = value
    else if (isJudged(bound, field, value)) return undefined
    else values[name] = value
  }
  const compared = Object.keys(values)
  return compared.length > 0 ? { values, compared, kept } : undefined
}

/** Only given as it stands. */
function isKept({ model }: BoundAccessor, field: Field): boolean {
  return field.role !== 'data' || isFixedOnUpdate(field) || field === model.tenant
}

/** What a reference points to must be there before the entry gets its id, and what may follow a state depends on that. */
function isJudged({ model, table }: BoundAccessor, field: Field, value: unknown): boolean {
  const isSpelt = table.engine.entryChanges?.spells(field) ?? false
  return !isSpelt || model.transitions.has(field.name) || (field.reference !== undefined && value !== null)
}

function* writeAlone(
  bound: BoundAccessor,
  session: Session,
  change: LoneChange & { readonly operation: Operation },
): Task<FieldValues | undefined> {
  const { model, table, audit, subject } = bound
  const { connection, context } = session
  const written: FieldValues = { ...change.values }
  if (change.values) stampUpdated(bound, written, context, new Date())
  const fresh = makeRowVersion()
  const values = change.values && { ...written, [model.rowVersion.name]: fresh }
  // What the caller may not read is not there.
  const caller = { ...context, asked: true }
  const work = audit.changeAlone(connection, caller, subject, table, { ...change, id: model.id.normalise(change.id), values })
  const row = yield* withNamedConflicts(bound, session, [written], work)
  if (!row) return undefined
  const record: FieldValues = {}
  for (const name of table.recordColumns) record[name] = name in written ? written[name] : row[name]
  noteVersion(record, values ? fresh : String(row[model.rowVersion.name]))
  queueCommitHooks(bound.hooks, session, change.operation, [{ record, previous: null }])
  return record
}
