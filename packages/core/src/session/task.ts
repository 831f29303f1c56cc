import type { Awaitable } from '../engine/engine.ts'
import { isPromise } from '../engine/is-promise.ts'

/**
 * Work that is written once for both kinds of engine: it runs to its end at once where every answer is there
 * at once (SQLite, whose shared commits depend on it), and step by step where an answer is a promise.
 * It yields nothing but the promises that it waits for.
 */
export type Task<T> = Generator<PromiseLike<unknown>, T, unknown>

/** Waits inside a task: `const rows = yield* wait(connection.all(statement))`. */
export function* wait<T>(value: Awaitable<T>): Task<T> {
  // The runner sends back what the promise resolved to, which has the promise's type.
  return isPromise(value) ? ((yield value) as T) : value
}

/** Runs a task; the answer is a promise only when the task had to wait for one. */
export function runTask<T>(task: Task<T>): Awaitable<T> {
  const step = task.next()
  return step.done ? step.value : continueTask(task, step.value)
}

async function continueTask<T>(task: Task<T>, first: PromiseLike<unknown>): Promise<T> {
  let step = await advance(task, first)
  while (!step.done) step = await advance(task, step.value)
  return step.value
}

async function advance<T>(task: Task<T>, pending: PromiseLike<unknown>): Promise<IteratorResult<PromiseLike<unknown>, T>> {
  let value: unknown
  try {
    value = await pending
  } catch (error) {
    return task.throw(error)
  }
  return task.next(value)
}
