import { ConflictError } from '../errors.ts'
import type { Field } from '../model/model.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { insertRows } from '../query/rows.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { BoundAccessor, Link } from './bound-accessor.ts'
import { sameValue } from './changed-fields.ts'
import { completeRecord, insertDrafts } from './insert.ts'
import { lockRecordsById } from './lock.ts'
import { presentTargets, refuseLockedFields, requireOperation, requireRecords, unseenFields } from './permit.ts'
import { checkRecordLimit } from './record-limit.ts'
import { stampUpdated } from './stamps.ts'
import { type RecordUpdate, type StoredChange, storeChanges, updateAsked } from './update.ts'
import { missingTarget } from './violation.ts'

/** How records that were elsewhere before are taken in. */
export interface ImportHow {
  /** Records that have the id of one that is there change it; the fields that they leave out stay. */
  readonly upsert: boolean
  /** Whether the target of a reference may come later in the same unit. */
  readonly mayWait: (link: Link) => boolean
}

/** A reference that its row does not have yet: its target is not there. */
export interface WaitingReference {
  readonly id: unknown
  readonly field: Field
  readonly value: unknown
  /** The place of the record among those that were given. */
  readonly index: number
}

type Waiting = Omit<WaitingReference, 'id' | 'index'> & { readonly record: FieldValues }

/** What became of records, and what is left to do: `fillReferences` with those that wait, before the unit ends. */
export interface ImportOutcome {
  readonly inserted: number
  readonly updated: number
  readonly unchanged: number
  readonly waiting: readonly WaitingReference[]
}

/**
 * The order of an insert or update for records whose ids, stamps and marks of deletion come with them: hooks, checks and audit entries
 * are those of any write. Of the records no two have the same id.
 */
export function* importRecords(bound: BoundAccessor, session: Session, given: readonly FieldValues[], how: ImportHow): Task<ImportOutcome> {
  const existing = how.upsert ? yield* existingRecords(bound, session, given) : nothing
  requireOwnFields(bound, session, given, existing)
  const idName = bound.model.id.name
  const waiting: Waiting[] = []
  const places = new Map<FieldValues, number>()
  const fresh: FieldValues[] = []
  const updates: RecordUpdate[] = []
  given.forEach((values, index) => {
    const previous = existing.get(values[idName])
    const record = previous ? changedRecord(bound, previous, values) : Object.assign(completeRecord(bound, session, values), values)
    places.set(record, index)
    if (previous) updates.push({ previous, record, unseen: unseenFields(bound, session.context, values) })
    else fresh.push(record)
  })
  const updated = yield* updateAsked(bound, session, updates, {
    stamp: keepGivenStamps(bound, updates),
    store: (changes) => storeAsFarAsPossible(bound, session, changes, how, waiting),
    mayWait: how.mayWait,
  })
  if (updated.length > 0) checkRecordLimit(bound, session)
  if (fresh.length > 0) {
    requireOperation(bound, session.context, 'create')
    yield* insertDrafts(bound, session, fresh, insertAsFarAsPossible(bound, session, fresh, how, waiting), how.mayWait)
  }
  yield* requireMarks(bound, session, updates, fresh)
  return {
    inserted: fresh.length,
    updated: updated.length,
    unchanged: updates.length - updated.length,
    waiting: waiting.map(({ record, field, value }) => ({ id: record[idName], field, value, index: places.get(record) ?? 0 })),
  }
}

/** The fields that the caller may not set are not set by a file either. */
function requireOwnFields(
  bound: BoundAccessor,
  session: Session,
  given: readonly FieldValues[],
  existing: ReadonlyMap<unknown, FieldValues>,
): void {
  for (const record of given) refuseLockedFields(bound, session.context, record, existing.get(record[bound.model.id.name]))
}

/** A mark of deletion that comes or goes with a row is a delete or restore, and asks for the rule of that. */
function* requireMarks(
  bound: BoundAccessor,
  session: Session,
  updates: readonly RecordUpdate[],
  fresh: readonly FieldValues[],
): Task<void> {
  const name = bound.model.deletedAt?.name
  if (name === undefined) return
  const isMarked = (record: FieldValues): boolean => (record[name] ?? null) !== null
  const deleted = updates.filter(({ previous, record }) => !isMarked(previous) && isMarked(record)).map(({ record }) => record)
  const restored = updates.filter(({ previous, record }) => isMarked(previous) && !isMarked(record)).map(({ record }) => record)
  yield* requireRecords(bound, session, 'delete', [...deleted, ...fresh.filter(isMarked)])
  yield* requireRecords(bound, session, 'restore', restored)
}

const nothing: ReadonlyMap<unknown, FieldValues> = new Map()

function* existingRecords(bound: BoundAccessor, session: Session, given: readonly FieldValues[]): Task<Map<unknown, FieldValues>> {
  const { name } = bound.model.id
  const ids = given.map((record) => record[name]).filter((id) => id !== undefined)
  return new Map(
    (yield* lockRecordsById(bound, session, ids, { includeDeleted: true, asked: 'read' })).map((record) => [record[name], record]),
  )
}

/** As `save` has it, a deleted record is not changed unless it is said what its mark shall be. */
function changedRecord({ model, component }: BoundAccessor, previous: FieldValues, given: FieldValues): FieldValues {
  const { deletedAt } = model
  if (deletedAt && previous[deletedAt.name] !== null && given[deletedAt.name] === undefined) {
    throw new ConflictError(
      'state_conflict',
      `${component} ${String(previous[model.id.name])} is deleted. Restore it first, or give ${deletedAt.name}.`,
    )
  }
  return { ...previous, ...given }
}

/** The stamps of a change are the ones that come with it, where they are others than those that are there. */
function keepGivenStamps(bound: BoundAccessor, updates: readonly RecordUpdate[]): typeof stampUpdated {
  const { stamps } = bound.model
  if (!stamps) return stampUpdated
  const { updatedAt, updatedBy } = stamps
  const given = new Map<FieldValues, FieldValues>()
  for (const { previous, record } of updates) {
    if ([updatedAt, updatedBy].every((field) => sameValue(field, previous[field.name], record[field.name]))) continue
    // Kept before the hooks: what they make of these stamps is passed over, as ever.
    given.set(record, { [updatedAt.name]: record[updatedAt.name], [updatedBy.name]: record[updatedBy.name] })
  }
  return (_bound, record, context, now) => {
    const kept = given.get(record)
    if (kept) Object.assign(record, kept)
    else stampUpdated(bound, record, context, now)
  }
}

function* insertAsFarAsPossible(
  bound: BoundAccessor,
  session: Session,
  records: FieldValues[],
  how: ImportHow,
  waiting: Waiting[],
): Task<void> {
  const fresh = records.map((record) => ({ record, changed: record }))
  const absent = yield* absentTargets(bound, session, fresh, how)
  for (const { record, link } of absent) {
    waiting.push({ record, field: link.field, value: record[link.field.name] })
    record[link.field.name] = placeholder(bound, record, link)
  }
  yield* insertRows(bound.table, session.connection, records)
  // The entry tells of the record as it is in the end.
  for (const { record, field, value } of waiting) record[field.name] = value
}

/** What a reference holds until its target is there. One that takes no null leads to its own record meanwhile. */
function placeholder({ model }: BoundAccessor, record: FieldValues, link: Link): unknown {
  if (link.field.nullable) return null
  const own = record[model.id.name]
  const isKey = model.unique.some((names) => names.includes(link.field.name))
  if (link.target.model !== model || own === undefined || isKey) throw missingTarget(link)
  return own
}

function* storeAsFarAsPossible(
  bound: BoundAccessor,
  session: Session,
  changes: readonly StoredChange[],
  how: ImportHow,
  waiting: Waiting[],
): Task<void> {
  for (const { record, changed, link } of yield* absentTargets(bound, session, changes, how)) {
    waiting.push({ record, field: link.field, value: record[link.field.name] })
    delete changed[link.field.name]
  }
  yield* storeChanges(bound, session, changes)
}

/** The references to what is not there, nor comes with these records. Throws ConflictError for those that may not wait. */
function* absentTargets(
  bound: BoundAccessor,
  session: Session,
  changes: readonly StoredChange[],
  how: ImportHow,
): Task<(StoredChange & { readonly link: Link })[]> {
  const absent: (StoredChange & { readonly link: Link })[] = []
  const own = new Set(changes.map(({ record }) => record[bound.model.id.name]))
  for (const link of bound.references) {
    const { name } = link.field
    const isThere = (id: unknown): boolean => id === null || id === undefined || (link.target === bound && own.has(id))
    const wanted = new Set(changes.map(({ changed }) => changed[name]).filter((id) => !isThere(id)))
    if (wanted.size === 0) continue
    const present = yield* presentTargets(session, link, [...wanted])
    if (present.size === wanted.size) continue
    if (!how.mayWait(link)) throw missingTarget(link)
    for (const { record, changed } of changes)
      if (!isThere(changed[name]) && !present.has(changed[name])) absent.push({ record, changed, link })
  }
  return absent
}
