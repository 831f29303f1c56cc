import type { AccessOperation } from '../access/rule.ts'
import type { Connection } from '../engine/engine.ts'
import type { HookMoment } from '../hooks/events.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { Conclusion } from '../session/conclusion.ts'
import type { Session } from '../session/session.ts'
import { type Task, wait } from '../session/task.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { allowsEvery } from './permit.ts'

/** Whether a unit is done with once one record is stored: no hook, rule or limit looks at it before the COMMIT. */
export function isLastWrite(bound: BoundAccessor, session: Session, after: HookMoment, operation: AccessOperation, count: number): boolean {
  if (count !== 1 || !session.ends || bound.hooks.at(after).length > 0) return false
  if (operation === 'create' && bound.maxRecords !== undefined) return false
  return allowsEvery(bound, session.context, operation)
}

/**
 * Whether a new record and its entry can go by one statement, as the last of a unit. The entry's id is drawn before the database looks for
 * what the record points to: its place in the log could be before that of a target which is made meanwhile.
 */
export function isLastInsert(bound: BoundAccessor, session: Session, records: readonly FieldValues[]): boolean {
  const [record] = records
  // That a trigger skipped the record is known after the COMMIT, which takes back nothing of what a hook wrote before.
  if (!record || session.nestedCount > 0 || !isLastWrite(bound, session, 'afterInsert', 'create', records.length)) return false
  const { id, idType } = bound.model
  if (idType === 'integer' && record[id.name] !== undefined) return false
  if (bound.references.some(({ field }) => (record[field.name] ?? null) !== null)) return false
  return bound.audit.canInsertLast(session.connection, session.context, bound.subject, record)
}

/** Stores and tells of it, with the same connection: where that is the last of the unit, together with its COMMIT. */
export function* storeLast(
  session: Session,
  isLast: boolean,
  store: ((connection: Connection) => Task<unknown>) | undefined,
  tell: (connection: Connection) => Task<void>,
): Task<void> {
  const conclusion = isLast ? Conclusion.of(session) : undefined
  const connection = conclusion ?? session.connection
  if (store) yield* store(connection)
  yield* tell(connection)
  if (conclusion) yield* wait(conclusion.send())
}
