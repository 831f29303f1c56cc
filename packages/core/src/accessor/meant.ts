import { UsageError } from '../errors.ts'
import type { FieldValues } from '../query/bound-table.ts'
import type { Filter } from '../query/filter.ts'
import { parseWhere } from '../query/where.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { lockRecords, lockRecordsById } from './lock.ts'

/** The records that a write to many is about: those with these ids, or those that hold the condition. */
export function* lockMeant(bound: BoundAccessor, session: Session, meant: unknown, includeDeleted: boolean): Task<FieldValues[]> {
  if (Array.isArray(meant)) return yield* lockRecordsById(bound, session, meant, includeDeleted)
  return yield* lockRecords(bound, session, parseRequired(bound, meant), includeDeleted)
}

/** A write to many says which: `{}` means all, and a variable that happens to be undefined does not. */
export function parseRequired(bound: BoundAccessor, where: unknown): Filter {
  if (typeof where !== 'object' || where === null) throw new UsageError('invalid_options', 'Say which records: a where object, {} for all.')
  // An object that is not a list is read as a condition, and refused by name where it is none.
  return parseWhere(bound.model, where as Readonly<Record<string, unknown>>)
}
