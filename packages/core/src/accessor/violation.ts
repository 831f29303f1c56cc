import { ConstraintViolation } from '../engine/engine.ts'
import { ConflictError, StrongroomError } from '../errors.ts'
import { referenceName, uniqueName } from '../model/constraint-names.ts'
import type { BoundTable, FieldValues } from '../query/bound-table.ts'
import { passedOver } from '../query/counted-id.ts'
import { allOf, equals, oneOf } from '../query/filter.ts'
import { countRows, selectRows } from '../query/rows.ts'
import { piecesOf } from '../query/shape.ts'
import type { CallerContext } from '../session/context.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { BoundAccessor, Link } from './bound-accessor.ts'

/** What a statement does with records. */
type Doing = 'insert' | 'update' | 'remove'

/**
 * Runs a statement that stores or removes records; a broken constraint becomes a ConflictError that names the model's fields. A record that
 * breaks several unique keys at once is told the first: the id, then those of the model in their order.
 */
export function* withNamedConflicts<T>(
  bound: BoundAccessor,
  session: Session,
  records: readonly FieldValues[],
  work: Task<T>,
  doing: Doing = 'update',
): Task<T> {
  try {
    return yield* work
  } catch (error) {
    if (!(error instanceof ConstraintViolation)) throw error
    if (error.kind === 'unique') throw yield* uniqueConflict(bound, session, records, error, doing === 'insert')
    if (error.kind === 'reference' && doing === 'remove') throw yield* stillReferenced(bound, session, records, error)
    if (error.kind === 'reference') throw yield* referenceConflict(bound, session, records, error)
    if (error.kind === 'skipped') throw passedOver(bound.table)
    throw new StrongroomError('internal_error', `A value got past the checks of ${bound.component} and was refused by the database.`, {
      cause: error,
    })
  }
}

function* uniqueConflict(
  bound: BoundAccessor,
  session: Session,
  records: readonly FieldValues[],
  error: ConstraintViolation,
  inserting: boolean,
): Task<ConflictError> {
  const { model } = bound
  const unique = model.unique.find((fields) => uniqueName(model.name, fields) === error.constraint)
  const told = unique ?? (error.columns.length > 0 ? error.columns : [model.id.name])
  const key = (error.constraint === undefined ? yield* firstTakenKey(bound, session, records, inserting) : undefined) ?? told
  const fields = withinTenant(bound, session, key)
  return new ConflictError('unique_conflict', `Another record of ${bound.component} has the same ${fields.join(', ')}.`, fields, {
    cause: error,
  })
}

/** To whoever belongs to one tenant its key is one without it. */
export function withinTenant({ model }: BoundAccessor, { context }: Session, key: readonly string[]): readonly string[] {
  const others = key.filter((name) => name !== model.tenant?.name)
  return context.tenant === null || others.length === 0 ? key : others
}

/** For an engine that does not name the index, and tries the newest one first: the first key that another record has. */
function* firstTakenKey(
  bound: BoundAccessor,
  session: Session,
  records: readonly FieldValues[],
  inserting: boolean,
): Task<readonly string[] | undefined> {
  const { id, unique } = bound.model
  const [record] = records
  // Which one of several records it was is not told either.
  if (!record || records.length > 1) return undefined
  const own = record[id.name]
  if (inserting && own !== undefined && (yield* existingIds(bound.table, session, [own], undefined)).size > 0) return [id.name]
  for (const fields of unique) {
    if (fields.some((name) => (record[name] ?? null) === null)) continue
    const filter = allOf(...fields.map((name) => equals(name, record[name])))
    const taken = { filter, includeDeleted: false, order: [], limit: 2 }
    const rows = yield* selectRows(bound.table, session.connection, session.context, taken)
    if (rows.some((row) => row[id.name] !== own)) return fields
  }
  return undefined
}

function* referenceConflict(
  bound: BoundAccessor,
  session: Session,
  records: readonly FieldValues[],
  error: ConstraintViolation,
): Task<ConflictError> {
  const named = bound.references.find(({ field }) => referenceName(bound.model.name, field.name) === error.constraint)
  const link = named ?? (error.constraint === undefined ? yield* findBrokenLink(bound, session, records) : undefined)
  if (link) return missingTarget(link, error)
  return pointsNowhere(bound, error)
}

function* stillReferenced(
  bound: BoundAccessor,
  session: Session,
  records: readonly FieldValues[],
  error: ConstraintViolation,
): Task<ConflictError> {
  const named = bound.referrers.find(({ source, field }) => referenceName(source.model.name, field.name) === error.constraint)
  const referrer = named ?? (error.constraint === undefined ? yield* findReferrer(bound, session, records) : undefined)
  const who = referrer ? `${referrer.source.component} (${referrer.field.name}) points` : 'other records point'
  const message = `${bound.component} cannot be removed while ${who} to it, deleted records included.`
  return new ConflictError('reference_conflict', message, referrer ? [referrer.field.name] : [], { cause: error })
}

/** For an engine that does not name the reference: the first one by which anybody's record points to one of these. */
function* findReferrer(
  { model, referrers }: BoundAccessor,
  session: Session,
  records: readonly FieldValues[],
): Task<BoundAccessor['referrers'][number] | undefined> {
  for (const referrer of referrers) {
    for (const ids of piecesOf([...new Set(records.map((record) => record[model.id.name]))], 256)) {
      const selection = { filter: oneOf(referrer.field.name, ids), includeDeleted: true }
      if ((yield* countRows(referrer.source.table, session.connection, undefined, selection, 1)) > 0) return referrer
    }
  }
  return undefined
}

/** Of several records that point to each other, the engine does not tell which one comes too early. */
function pointsNowhere(bound: BoundAccessor, cause: unknown): ConflictError {
  const fields = bound.references.map(({ field }) => field.name)
  return new ConflictError('reference_conflict', `A record of ${bound.component} points to one that does not exist.`, fields, { cause })
}

export function missingTarget({ field, target }: Link, cause?: unknown): ConflictError {
  const message = `${field.name} points to a record of ${target.component} that does not exist.`
  return new ConflictError('reference_conflict', message, [field.name], { cause })
}

/** For an engine that does not name the reference: the first one, of the first record that has such a one, whose target is not there. */
function* findBrokenLink(bound: BoundAccessor, session: Session, records: readonly FieldValues[]): Task<Link | undefined> {
  const present = new Map<Link, ReadonlySet<unknown>>()
  for (const link of bound.references) {
    const wanted = new Set(records.map((record) => record[link.field.name]).filter((value) => value !== null && value !== undefined))
    const found = yield* existingIds(link.target.table, session, [...wanted], undefined)
    if (link.target === bound) for (const record of records) found.add(record[bound.model.id.name])
    present.set(link, found.add(null).add(undefined))
  }
  for (const record of records) for (const [link, ids] of present) if (!ids.has(record[link.field.name])) return link
  return undefined
}

/** Which of these ids have a record that this caller may know of, deleted ones included; without a caller, anybody's. */
export function* existingIds(
  table: BoundTable,
  session: Session,
  ids: readonly unknown[],
  context: CallerContext | undefined,
): Task<Set<unknown>> {
  const idName = table.model.id.name
  const present = new Set<unknown>()
  for (const piece of piecesOf(ids, 256)) {
    const wanted = { filter: oneOf(idName, piece), includeDeleted: true, order: [], columns: [idName] }
    for (const row of yield* selectRows(table, session.connection, context, wanted)) present.add(row[idName])
  }
  return present
}
