import type { Awaitable } from './engine.ts'

/** Tells an answer that is there from one that has to be waited for. */
export function isPromise<T>(value: Awaitable<T> | PromiseLike<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
