import type { Moment } from '../../audit/moments.ts'
import { ConflictError, InvalidQueryError, NotFoundError } from '../../errors.ts'
import { isId } from '../../model/record-id.ts'
import type { FieldValues } from '../../query/bound-table.ts'
import { allOf, equals, everything } from '../../query/filter.ts'
import { selectRows } from '../../query/rows.ts'
import type { Session } from '../../session/session.ts'
import type { Task } from '../../session/task.ts'
import type { BoundAccessor } from '../bound-accessor.ts'
import { lockRecord } from '../lock.ts'
import { assertMatch, type Conditions } from '../match.ts'
import { isHeld, lockedFields } from '../permit.ts'
import { notFound } from '../update.ts'
import { bringBack } from './bring-back.ts'
import { entriesOf, erased, type PastState, shownImage, stateAfter, stateSince } from './past-images.ts'
import { visible } from './read-past.ts'

/** Makes one record what it was at an instant, or what one of its entries left. Answers it as it is then. */
export function* revertRecord(
  bound: BoundAccessor,
  session: Session,
  id: unknown,
  to: Moment | number,
  conditions: Conditions,
): Task<FieldValues> {
  if (!isId(bound.model, id)) throw notFound(bound, id)
  const known = bound.model.id.normalise(id)
  const previous = yield* lockRecord(bound, session, known, { includeDeleted: true, asked: 'read' })
  const there = previous ?? (yield* lockRecord(bound, session, known, { includeDeleted: true }))
  // A record that the caller may not read is not there for it.
  if (there && !previous) throw notFound(bound, id)
  const image = yield* imageAt(bound, session, known, to, previous)
  if (!image) throw notFound(bound, id)
  assertMatch(bound, previous, conditions)
  const { deletedAt } = bound.model
  if (deletedAt && (image[deletedAt.name] ?? null) !== null) throw notThere(bound, known, 'was deleted')
  yield* bringBack(bound, session, [{ previous, image, kept: lockedFields(bound, session.context) }])
  return (yield* lockRecord(bound, session, known, { includeDeleted: true })) ?? image
}

/** What the record was, where the caller may see it; undefined where it may not, or nothing is known of it. */
function* imageAt(
  bound: BoundAccessor,
  session: Session,
  id: unknown,
  to: Moment | number,
  previous: FieldValues | undefined,
): Task<FieldValues | undefined> {
  const context = { ...session.context, asked: true }
  // Whoever is held to rules does not hear that a record which is gone was ever there, but by an image that it might have read.
  const isSecret = previous === undefined && isHeld(bound, context)
  const state = yield* stateAt(bound, session, id, to, isSecret)
  if (!state || (isSecret && state.type !== 'record')) return previous
  if (state.type === 'erased') throw erased(bound, id)
  if (state.type === 'absent') throw notThere(bound, id, 'did not exist')
  const shown = shownImage(bound, state.image)
  const seen = yield* visible(bound, session.connection, context, { filter: everything, includeDeleted: true }, [shown])
  return seen.length > 0 ? state.image : undefined
}

/** Undefined where the record is what it was, or never was. */
function* stateAt(
  bound: BoundAccessor,
  session: Session,
  id: unknown,
  to: Moment | number,
  isSecret: boolean,
): Task<PastState | undefined> {
  const { moments } = bound
  const { context } = session
  // The database itself shows whoever belongs to a tenant the entries of that one alone, and others may have changed what all share.
  const connection = session.connection.heldTo('every')
  if (typeof to !== 'number') {
    yield* moments.requireRetained(connection, to)
    return yield* stateSince(bound, connection, context, to, id)
  }
  if (!Number.isSafeInteger(to)) throw new InvalidQueryError('to is an instant, or the id of one of the record’s audit entries.')
  const options = { filter: allOf(equals('id', to), entriesOf(bound, id)), includeDeleted: true, order: [] }
  const [entry] = yield* selectRows(moments.log, connection, undefined, options)
  if (!entry && isSecret) return undefined
  if (!entry) throw new NotFoundError(`${bound.component} ${String(id)} has no audit entry ${to}.`)
  return stateAfter(bound, entry)
}

function notThere({ component }: BoundAccessor, id: unknown, what: string): ConflictError {
  return new ConflictError('state_conflict', `${component} ${String(id)} ${what} then, so it cannot go back there. Delete it instead.`)
}
