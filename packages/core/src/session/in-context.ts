import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * Runs a generator for whoever acts where it is made. Each step of a generator runs where it is asked for the next value, which may be
 * after the request or transaction for which it reads.
 */
export function inContextOfCall<T>(generator: AsyncGenerator<T, void, undefined>): AsyncGenerator<T, void, undefined> {
  const inContext = AsyncLocalStorage.snapshot()
  return {
    next: () => inContext(() => generator.next()),
    return: (value) => inContext(() => generator.return(value)),
    throw: (error) => inContext(() => generator.throw(error)),
    [Symbol.asyncIterator]() {
      return this
    },
    [Symbol.asyncDispose]: async () => {
      await inContext(() => generator.return())
    },
  }
}
