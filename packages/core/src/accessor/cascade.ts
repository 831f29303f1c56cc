import { ConflictError } from '../errors.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { oneOf } from '../query/filter.ts'
import { piecesOf } from '../query/shape.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { BoundAccessor, Link } from './bound-accessor.ts'
import { lockRecords } from './lock.ts'
import { updateRecords } from './update.ts'

/** Whether records are marked as deleted or removed for good. */
export type DeleteMode = 'soft' | 'hard'

/** The records that one delete has dealt with, by model and id: references can run in circles. */
export type DeleteWalk = Set<string>

/** Deletes the records of another model that go with the ones being deleted. */
export type DeleteChildren = (source: BoundAccessor, children: readonly FieldValues[], mode: DeleteMode) => Task<unknown>

/** What the walk remembers a record by. */
export function walkKey(bound: BoundAccessor, record: FieldValues): string {
  return `${bound.model.name}:${String(record[bound.model.id.name])}`
}

/**
 * Deals with the records that point to those being deleted, each with its own hooks and audit entry. The database knows the
 * references as NO ACTION only: a cascade inside it would change records that no entry tells of.
 */
export function* settleReferrers(
  bound: BoundAccessor,
  session: Session,
  records: readonly FieldValues[],
  mode: DeleteMode,
  walk: DeleteWalk,
  deleteChildren: DeleteChildren,
): Task<void> {
  for (const link of bound.referrers) {
    const onDelete = link.field.reference?.onDelete ?? 'restrict'
    // A restricting record that is deleted itself holds nobody back, but a row cannot go while any row points to it.
    const includeDeleted = mode === 'hard' && onDelete !== 'restrict'
    const children = (yield* pointingTo(link, session, records, includeDeleted)).filter((child) => !walk.has(walkKey(link.source, child)))
    if (children.length === 0) continue
    if (onDelete === 'restrict') throw restricted(link, children.length)
    if (onDelete === 'setNull') yield* emptyReference(link, session, children)
    else yield* deleteChildren(link.source, children, mode === 'soft' && link.source.model.deletedAt ? 'soft' : 'hard')
  }
}

function* pointingTo(link: Link, session: Session, records: readonly FieldValues[], includeDeleted: boolean): Task<FieldValues[]> {
  const ids = records.map((record) => record[link.target.model.id.name])
  const children: FieldValues[] = []
  for (const piece of piecesOf(ids, 256)) {
    children.push(...(yield* lockRecords(link.source, session, oneOf(link.field.name, piece), includeDeleted)))
  }
  return children
}

function* emptyReference(link: Link, session: Session, children: readonly FieldValues[]): Task<void> {
  const updates = children.map((previous) => ({ previous, record: { ...previous, [link.field.name]: null } }))
  yield* updateRecords(link.source, session, updates)
}

function restricted(link: Link, count: number): ConflictError {
  const who = `${count} record${count === 1 ? '' : 's'} of ${link.source.component}`
  const message = `${link.target.component} cannot be deleted while ${who} point${count === 1 ? 's' : ''} to it by ${link.field.name}. Delete or change those first.`
  return new ConflictError('reference_conflict', message, [link.field.name])
}
