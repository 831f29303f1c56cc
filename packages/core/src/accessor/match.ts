import { PreconditionFailedError } from '../errors.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { versionOf } from '../query/record-version.ts'
import type { WriteOptions } from '../session/options.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { type LockOptions, lockRecord } from './lock.ts'

/** A write to one record that is refused when the record has changed since the caller read it. */
export interface ConditionalWriteOptions extends WriteOptions {
  /** The version that the record must have (`versionOf`), or several of which it must have one; `*` for any. Checked in the transaction. */
  readonly ifMatch?: string | readonly string[] | undefined
  /** A version that the record must not have, or several of which it must have none; `*` for any: there must be no record. Checked likewise. */
  readonly ifNoneMatch?: string | readonly string[] | undefined
}

/** What a write to one record asks of it. */
export type Conditions = Pick<ConditionalWriteOptions, 'ifMatch' | 'ifNoneMatch'>

/** The record with this id, alone in a list, when it has a version that the caller expects; nothing where there is none. */
export function* lockExpected(
  bound: BoundAccessor,
  session: Session,
  id: unknown,
  { includeDeleted, asked, ...conditions }: Conditions & Pick<LockOptions, 'includeDeleted' | 'asked'>,
): Task<FieldValues[]> {
  const record = yield* lockRecord(bound, session, id, { includeDeleted, ...(asked && { asked }) })
  if (!record) return []
  assertMatch(bound, record, conditions)
  return [record]
}

/** Throws PreconditionFailedError unless the record has a version that the caller expects. */
export function assertMatch(bound: BoundAccessor, record: FieldValues | undefined, { ifMatch, ifNoneMatch }: Conditions): void {
  const version = record && versionOf(record)
  if (ifMatch !== undefined && !isAmong(version, ifMatch)) {
    const what = record ? 'has changed since it was read' : 'does not exist'
    throw new PreconditionFailedError(`The record of ${bound.component} ${what}. Read it again and repeat the write on what is there now.`)
  }
  if (ifNoneMatch === undefined || !isAmong(version, ifNoneMatch)) return
  throw new PreconditionFailedError(`${bound.component} has the record that this write wants not to be there. Nothing was changed.`)
}

function isAmong(version: string | undefined, wanted: string | readonly string[]): boolean {
  const versions = typeof wanted === 'string' ? [wanted] : wanted
  return version !== undefined && (versions.includes('*') || versions.includes(version))
}
