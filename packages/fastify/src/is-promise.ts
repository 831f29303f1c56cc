/** Whether an answer comes later: a promise of whichever maker. What is there at once need not wait for a turn. */
export function isPromise<T>(answer: T | PromiseLike<T>): answer is PromiseLike<T> {
  return typeof answer === 'object' && answer !== null && 'then' in answer && typeof answer.then === 'function'
}
