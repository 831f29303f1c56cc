import { ConflictError, UsageError } from '../errors.ts'
import type { AnyModel } from '../model/model.ts'
import type { FieldValues } from '../query/bound-table.ts'
import type { Filter } from '../query/filter.ts'
import { parseWhere } from '../query/where.ts'
import { wholeNumber } from '../query/whole-number.ts'
import type { WriteOptions } from '../session/options.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { type LockOptions, lockRecords, lockRecordsById } from './lock.ts'
import { viewFor } from './permit.ts'

/** A write to many records that is refused when it would touch more than was meant. */
export interface BulkWriteOptions extends WriteOptions {
  /** How many records may be found; if there are more, none is changed (ConflictError `too_many_matches`). Any number unless said. */
  readonly atMost?: number | undefined
}

type Bounds = BulkWriteOptions & Required<Pick<LockOptions, 'includeDeleted' | 'asked'>>

/** The records that a write to many is about: those with these ids, or those that hold the condition. */
export function* lockMeant(
  bound: BoundAccessor,
  session: Session,
  meant: unknown,
  { atMost, includeDeleted, asked }: Bounds,
): Task<FieldValues[]> {
  const most = wholeNumber('atMost', atMost)
  if (Array.isArray(meant)) return capped(bound, yield* lockRecordsById(bound, session, meant, { includeDeleted, asked }), most)
  return yield* lockMatching(bound, session, meant, { atMost, includeDeleted, asked })
}

/** The records that hold a condition. */
export function* lockMatching(
  bound: BoundAccessor,
  session: Session,
  where: unknown,
  { atMost, includeDeleted, asked }: Bounds,
): Task<FieldValues[]> {
  const most = wholeNumber('atMost', atMost)
  const filter = parseRequired(viewFor(bound, session.context), where)
  // One more than may be found tells that there are too many.
  return capped(
    bound,
    yield* lockRecords(bound, session, filter, { includeDeleted, limit: most === undefined ? undefined : most + 1, asked }),
    most,
  )
}

function capped(bound: BoundAccessor, found: FieldValues[], most: number | undefined): FieldValues[] {
  if (most === undefined || found.length <= most) return found
  throw new ConflictError(
    'too_many_matches',
    `More than ${most} records of ${bound.component} match, and none was changed. Narrow the filter.`,
  )
}

/** A write to many says which: `{}` means all, and a variable that happens to be undefined does not. */
function parseRequired(model: AnyModel, where: unknown): Filter {
  if (typeof where !== 'object' || where === null) throw new UsageError('invalid_options', 'Say which records: a where object, {} for all.')
  // An object that is not a list is read as a condition, and refused by name where it is none.
  return parseWhere(model, where as Readonly<Record<string, unknown>>)
}
