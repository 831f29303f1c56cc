import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * Asks one question for all requests that come in the same turn of the event loop. Whoever asks gets an answer to a question that was put
 * after they came, so that it holds what was true then: nothing is kept.
 */
export class Together<Key, Value> {
  readonly #load: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>
  /** The question is nobody's in particular: it must not join the transaction, or act for the caller, of whoever asks first. */
  readonly #outside = AsyncLocalStorage.snapshot()
  #next: { readonly keys: Set<Key>; readonly answer: Promise<ReadonlyMap<Key, Value>> } | undefined

  constructor(load: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>) {
    this.#load = load
  }

  ask(keys: readonly Key[]): Promise<ReadonlyMap<Key, Value>> {
    this.#next ??= this.#begin()
    const { keys: asked, answer } = this.#next
    for (const key of keys) asked.add(key)
    return answer
  }

  #begin() {
    const keys = new Set<Key>()
    const load = (): Promise<ReadonlyMap<Key, Value>> => {
      this.#next = undefined
      return this.#load([...keys])
    }
    const answer = this.#outside(() => new Promise<void>((resolve) => setImmediate(resolve)).then(load))
    return { keys, answer }
  }
}
