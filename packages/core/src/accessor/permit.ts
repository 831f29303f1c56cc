import type { Asker, ModelAccess } from '../access/model-access.ts'
import type { AccessOperation } from '../access/rule.ts'
import { ForbiddenError, ValidationError } from '../errors.ts'
import type { AnyModel } from '../model/model.ts'
import { unknownField } from '../model/validate-record.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { allOf, everything, nothing, oneOf } from '../query/filter.ts'
import { copyVersion } from '../query/record-version.ts'
import { countRows } from '../query/rows.ts'
import { tenantValue } from '../query/scope.ts'
import { piecesOf } from '../query/shape.ts'
import type { CallerContext } from '../session/context.ts'
import type { ReadOptions } from '../session/options.ts'
import { everyTenant } from '../session/principal.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { BoundAccessor, Link } from './bound-accessor.ts'
import { sameValue } from './changed-fields.ts'
import { existingIds, missingTarget } from './violation.ts'

/** The rules that hold for a caller, and for whom; undefined for code that acts for itself, and where there are no rules. */
export function rulesFor(
  { accessFor }: BoundAccessor,
  { principal, memory, access: mode }: CallerContext,
): { readonly access: ModelAccess; readonly asker: Asker } | undefined {
  if (!principal || mode === 'system') return undefined
  const access = accessFor(principal)
  return access && { access, asker: { principal, memory } }
}

/** The model as whoever asks knows it. Throws ForbiddenError for a caller who may read none of its records. */
export function modelFor(bound: BoundAccessor, question: ReadOptions): AnyModel {
  const context = bound.units.callerOf(question)
  requireOperation(bound, context, 'read')
  return viewFor(bound, context)
}

/** The model as the caller knows it. */
export function viewFor(bound: BoundAccessor, context: CallerContext): AnyModel {
  const rules = rulesFor(bound, context)
  return rules ? rules.access.viewFor(rules.asker) : bound.model
}

/** The model as the caller may write it. */
export function inputFor(bound: BoundAccessor, context: CallerContext): AnyModel {
  const rules = rulesFor(bound, context)
  return rules ? rules.access.inputFor(rules.asker) : bound.model
}

/** Whether somebody has to act for the records to be held to rules or a tenant, and nobody does. */
export function lacksCaller({ access, model, units }: BoundAccessor): boolean {
  if (access === undefined && model.tenant === undefined) return false
  const { principal, tenant, access: mode } = units.callerOf({})
  return principal === undefined && tenant === null && mode !== 'system'
}

/** The records that a write answers, as the caller may read them: copies where anything is left out, since hooks hold them too. */
export function visibleResult<T>(bound: BoundAccessor, context: CallerContext, result: T): T {
  const rules = rulesFor(bound, context)
  if (!rules || typeof result !== 'object' || result === null || rules.access.limits(rules.asker).hidden.size === 0) return result
  const visible = (record: FieldValues): FieldValues => {
    const copy = copyVersion(record, { ...record })
    withoutHidden(bound, context, [copy])
    return copy
  }
  // Writes answer a record, or a list of them.
  return (Array.isArray(result) ? result.map(visible) : visible(result as FieldValues)) as T
}

/** Takes out of records, in place, what the caller may not read. */
export function withoutHidden(bound: BoundAccessor, context: CallerContext, records: readonly FieldValues[]): void {
  const rules = rulesFor(bound, context)
  if (!rules) return
  for (const name of rules.access.limits(rules.asker).hidden) for (const record of records) delete record[name]
}

/** Throws ForbiddenError for what the caller may do with no record at all. */
export function requireOperation(bound: BoundAccessor, context: CallerContext, operation: AccessOperation): void {
  if (operation === 'create' && isNowhere(bound, context))
    throw new ForbiddenError(`You belong to no tenant, so you can have no records of ${bound.component}.`)
  const rules = rulesFor(bound, context)
  if (rules?.access.decide(operation, rules.asker).filter === nothing) throw forbidden(bound, operation)
}

/** Whether the caller may do this with every record: then no rule looks at those that it is done with. */
export function allowsEvery(bound: BoundAccessor, context: CallerContext, operation: AccessOperation): boolean {
  const rules = rulesFor(bound, context)
  return rules === undefined || rules.access.decide(operation, rules.asker).filter === everything
}

/** Throws ForbiddenError unless the caller may do this with each of the records, as they stand in the database now. */
export function* requireRecords(
  bound: BoundAccessor,
  session: Session,
  operation: AccessOperation,
  records: readonly FieldValues[],
): Task<void> {
  const rules = rulesFor(bound, session.context)
  if (!rules || records.length === 0) return
  const { filter } = rules.access.decide(operation, rules.asker)
  if (filter === everything) return
  if (filter === nothing) throw forbidden(bound, operation)
  const idName = bound.model.id.name
  for (const piece of piecesOf([...new Set(records.map((record) => record[idName]))], 256)) {
    const selection = { filter: allOf(oneOf(idName, piece), filter), includeDeleted: true }
    const allowed = yield* countRows(bound.table, session.connection, session.context, selection)
    if (allowed < piece.length) throw forbidden(bound, operation)
  }
}

/** Refuses fields that the caller may not set, unless they stay as they are. A field that it cannot see answers like one that is not there. */
export function refuseLockedFields(bound: BoundAccessor, context: CallerContext, given: FieldValues, previous?: FieldValues): void {
  const rules = rulesFor(bound, context)
  if (!rules) return
  const { locked, hidden } = rules.access.limits(rules.asker)
  const known = rules.access.inputFor(rules.asker)
  const issues = Object.keys(given).flatMap((name) => {
    if (known !== bound.model && !known.fieldsByName.has(name)) return [unknownField(known, name)]
    // That only the value which it has is taken would tell what that is.
    if (previous && isUnseen(bound, hidden, name) && bound.model.fieldsByName.get(name)?.immutable)
      return [{ path: name, message: 'can only be given when the record is made' }]
    if (!locked.has(name) || (previous && isSame(bound.model, name, given, previous))) return []
    return [{ path: name, message: 'may not be set by you' }]
  })
  if (issues.length > 0) throw new ValidationError(issues)
}

function isUnseen({ model }: BoundAccessor, hidden: ReadonlySet<string>, name: string): boolean {
  return hidden.has(name) || model.fieldsByName.get(name)?.secret === true
}

/** The fields that a caller sets without being able to read them: whether they had that value already is not for it to know. */
export function unseenFields(bound: BoundAccessor, context: CallerContext, given: FieldValues): readonly string[] {
  const rules = rulesFor(bound, context)
  if (!rules) return []
  const { hidden } = rules.access.limits(rules.asker)
  return Object.keys(given).filter((name) => isUnseen(bound, hidden, name))
}

function isSame({ fieldsByName }: AnyModel, name: string, given: FieldValues, previous: FieldValues): boolean {
  const field = fieldsByName.get(name)
  const value = given[name]
  return field !== undefined && sameValue(field, value === null ? null : field.normalise(value), previous[name])
}

/** The names of the fields that the caller may not set. */
export function lockedFields(bound: BoundAccessor, context: CallerContext): ReadonlySet<string> {
  const rules = rulesFor(bound, context)
  return rules ? rules.access.limits(rules.asker).locked : none
}

const none: ReadonlySet<string> = new Set()

/** A record that is stored, and what is new in it: all of it unless said. */
interface NewContent {
  readonly record: FieldValues
  readonly changed?: FieldValues
}

/**
 * A record can only point to what the caller may read: everything else is not there.
 * @param mayWait whether a target may come later in the unit: whoever fills the reference in then asks for it
 */
export function* requireTargets(
  bound: BoundAccessor,
  session: Session,
  changes: readonly NewContent[],
  mayWait: (link: Link) => boolean = () => false,
): Task<void> {
  for (const link of bound.references) {
    const { field, target } = link
    if (field.role !== 'data' || mayWait(link) || !isHeld(target, { ...session.context, asked: true })) continue
    const wanted = new Set(changes.map(({ record, changed = record }) => changed[field.name]))
    wanted.delete(null)
    wanted.delete(undefined)
    if (wanted.size === 0) continue
    const present = yield* presentTargets(session, link, [...wanted])
    // Records that are made together may point to each other.
    if (target === bound) for (const { record } of changes) present.add(record[bound.model.id.name])
    for (const id of wanted) if (!present.has(id)) throw missingTarget(link)
  }
}

/** Which of these targets are there for the caller. Who has made or changed a record is told whether it may read of them or not. */
export function presentTargets(session: Session, { field, target }: Link, ids: readonly unknown[]): Task<Set<unknown>> {
  return existingIds(target.table, session, ids, { ...session.context, asked: field.role === 'data' })
}

function isNowhere({ model }: BoundAccessor, { tenant, principal, access }: CallerContext): boolean {
  return model.tenant !== undefined && tenant === null && principal !== undefined && access !== 'system' && principal.tenant !== everyTenant
}

/** Holds new records to the caller's tenant, whatever made them. */
export function requireTenant({ model }: BoundAccessor, { tenant }: CallerContext, records: readonly FieldValues[]): void {
  const field = model.tenant
  if (!field) return
  if (tenant === null) return
  const own = tenantValue(field, tenant)
  const strangers = records.flatMap((record, index) =>
    own !== undefined && record[field.name] === own ? [] : [`${records.length > 1 ? `${index}.` : ''}${field.name}`],
  )
  if (strangers.length > 0) throw new ValidationError(strangers.map((path) => ({ path, message: 'must be your own tenant; leave it out' })))
}

/** Whether some records of the model do not exist for the caller. */
export function isHeld(bound: BoundAccessor, context: CallerContext): boolean {
  if (bound.model.tenant && (context.tenant !== null || isNowhere(bound, context))) return true
  const rules = rulesFor(bound, context)
  return rules !== undefined && rules.access.decide('read', rules.asker).filter !== everything
}

function forbidden({ component }: BoundAccessor, operation: AccessOperation): ForbiddenError {
  return new ForbiddenError(
    `You may not ${operation} ${operation === 'create' ? `records of ${component}` : `these records of ${component}`}.`,
  )
}
