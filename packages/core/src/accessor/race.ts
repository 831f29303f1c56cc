import { ConflictError } from '../errors.ts'
import type { Session } from '../session/session.ts'
import { type Task, wait } from '../session/task.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { withinTenant } from './violation.ts'

/** Others may insert and delete the same key again and again; so often this unit looks anew. */
const mostTries = 5

/**
 * Runs work that looks for a key and inserts where nobody has it. Where units overlap, another one can insert the key in
 * between: then the work is undone and looks again, and finds that record.
 */
export function* lookAgainAfterRace<T>(bound: BoundAccessor, session: Session, key: readonly string[], work: () => Task<T>): Task<T> {
  if (bound.table.engine.capabilities.serialWrites) return yield* work()
  const savepoint = `race_${session.depth}`
  for (let tries = 1; ; tries++) {
    const effects = session.effectCount
    yield* wait(session.connection.savepoint(savepoint))
    try {
      const result = yield* work()
      yield* wait(session.connection.release(savepoint))
      return result
    } catch (error) {
      yield* wait(session.connection.rollbackTo(savepoint))
      session.dropEffects(effects)
      if (tries === mostTries || !isConflictOf(error, withinTenant(bound, session, key))) throw error
    }
  }
}

function isConflictOf(error: unknown, key: readonly string[]): boolean {
  return error instanceof ConflictError && error.code === 'unique_conflict' && error.fields.toSorted().join() === key.toSorted().join()
}
