import { PreconditionFailedError } from '../errors.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { versionOf } from '../query/record-version.ts'
import type { WriteOptions } from '../session/options.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { lockRecord } from './lock.ts'

/** A write to one record that is refused when the record has changed since the caller read it. */
export interface ConditionalWriteOptions extends WriteOptions {
  /** The version that the record must have (`versionOf`), or several of which it must have one; `*` for any. Checked in the transaction. */
  readonly ifMatch?: string | readonly string[] | undefined
}

/** The record with this id, alone in a list, when it has a version that the caller expects; nothing where there is none. */
export function* lockExpected(
  bound: BoundAccessor,
  session: Session,
  id: unknown,
  { ifMatch, includeDeleted }: Pick<ConditionalWriteOptions, 'ifMatch'> & { readonly includeDeleted: boolean },
): Task<FieldValues[]> {
  const record = yield* lockRecord(bound, session, id, includeDeleted)
  if (!record) return []
  assertMatch(bound, record, ifMatch)
  return [record]
}

/** Throws PreconditionFailedError unless the record has a version that the caller expects. */
export function assertMatch(bound: BoundAccessor, record: FieldValues | undefined, ifMatch: ConditionalWriteOptions['ifMatch']): void {
  if (ifMatch === undefined) return
  const expected = typeof ifMatch === 'string' ? [ifMatch] : ifMatch
  const version = record && versionOf(record)
  if (version !== undefined && (expected.includes('*') || expected.includes(version))) return
  const what = record ? 'has changed since it was read' : 'does not exist'
  throw new PreconditionFailedError(`The record of ${bound.component} ${what}. Read it again and repeat the write on what is there now.`)
}
