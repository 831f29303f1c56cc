import type { Awaitable, StoredRow } from '../engine/engine.ts'
import { isPromise } from '../engine/is-promise.ts'
import { type MakeStatement, statementById } from '../query/by-id.ts'
import type { CallerContext } from '../session/context.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import type { Question } from './read.ts'

/** What is made of a row that was found by its id. */
interface Reading<T> {
  /** What is read, which a statement is kept by. */
  readonly columns: readonly string[]
  readonly statement: MakeStatement
  readonly use: (row: StoredRow) => T
}

/** Who asks, where a question for one record says nothing but its id, outside any unit; else undefined. */
export function callerForIdAlone({ units }: BoundAccessor, question: Question): CallerContext | undefined {
  if (question.where !== undefined || question.includeDeleted || units.current() !== undefined) return undefined
  return units.callerOf(question)
}

/** Reads a live record by its id for a `callerForIdAlone`: without a unit, a condition of the question's, or anything to be remembered. */
export function readById<T>(
  { table, units }: BoundAccessor,
  id: unknown,
  caller: CallerContext,
  { columns, statement, use }: Reading<T>,
): Awaitable<T | null> {
  const found = units.readOne(caller, statementById(table, columns, id, caller, statement))
  const answer = (row: StoredRow | undefined): T | null => (row ? use(row) : null)
  return isPromise(found) ? found.then(answer) : answer(found)
}
