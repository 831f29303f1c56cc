import type { Awaitable, Statement, StoredRow } from '../engine/engine.ts'
import { isPromise } from '../engine/is-promise.ts'
import { reachesAll, statementById } from '../query/by-id.ts'
import type { SelectOptions } from '../query/select.ts'
import type { CallerContext } from '../session/context.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import type { Question } from './read.ts'

/** What is made of a row that was found by its id. */
interface Reading<T> {
  /** What is read, which a statement is kept by. */
  readonly columns: readonly string[]
  readonly statement: (options: SelectOptions) => Statement
  readonly use: (row: StoredRow) => T
}

/** Who asks, where a question for one record says nothing but its id, outside any unit, and may be answered with any record; else undefined. */
export function callerForIdAlone({ table, units }: BoundAccessor, question: Question): CallerContext | undefined {
  if (question.where !== undefined || question.includeDeleted || units.current() !== undefined) return undefined
  const caller = units.callerOf(question)
  return reachesAll(table, caller) ? caller : undefined
}

/** Reads a live record by its id for a `callerForIdAlone`: without a unit, a condition, or anything to be remembered. */
export function readById<T>(
  { table, units }: BoundAccessor,
  id: unknown,
  caller: CallerContext,
  { columns, statement, use }: Reading<T>,
): Awaitable<T | null> {
  const found = units.readOne(caller, statementById(table, columns, id, statement))
  const answer = (row: StoredRow | undefined): T | null => (row ? use(row) : null)
  return isPromise(found) ? found.then(answer) : answer(found)
}
