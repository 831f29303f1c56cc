import { type Logger, StorageUnavailableError } from '@strongroom/core'
import { Together } from '../together.ts'
import type { RevocationStore } from './revocation-store.ts'

/** Milliseconds that the store may take. */
const timeLimit = 2_000

/** A revocation store that fails closed, and tells that it does. */
export class Revocations {
  readonly #store: RevocationStore
  readonly #logger: () => Logger
  readonly #questions = new Together<string, true>((ids) => this.#ask(() => this.#find(ids)))
  #failures = 0
  #isDown = false

  constructor(store: RevocationStore, logger: () => Logger) {
    this.#store = store
    this.#logger = logger
  }

  /** Questions and revocations that the store did not answer, since the start. */
  get failures(): number {
    return this.#failures
  }

  /** Whether the store failed when it was last asked. */
  get isDown(): boolean {
    return this.#isDown
  }

  /** Turns tokens or sessions away from now on: by the `jti` or the `sid` of an access token. */
  async revoke(ids: readonly string[], until: Date): Promise<void> {
    await this.#ask(() => this.#store.revoke(ids, until))
  }

  /** Whether any of the ids is revoked. Throws StorageUnavailableError when that cannot be found out. */
  async isRevoked(ids: readonly string[]): Promise<boolean> {
    const revoked = await this.#questions.ask(ids)
    return ids.some((id) => revoked.has(id))
  }

  async sweep(): Promise<void> {
    await this.#store.sweep?.()
  }

  async #find(ids: readonly string[]): Promise<ReadonlyMap<string, true>> {
    const found: unknown = await this.#store.findRevoked(ids)
    // A store that was written without types may answer anything, and only a list that is one lets in.
    if (!Array.isArray(found)) throw new Error('findRevoked answered no list.')
    return new Map(found.map((id) => [String(id), true]))
  }

  async #ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      const answer = await withinTime(work)
      if (this.#isDown) this.#logger().info('The store of revoked tokens answers again.')
      this.#isDown = false
      return answer
    } catch (cause) {
      this.#failures += 1
      if (!this.#isDown)
        this.#logger().error('The store of revoked tokens does not answer. Nobody with a token is let in until it does.', cause)
      this.#isDown = true
      throw new StorageUnavailableError(
        'storage_unavailable',
        'The server cannot find out now whether this token was revoked. Try again later.',
        { cause },
      )
    }
  }
}

async function withinTime<T>(work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It took longer than ${timeLimit} ms.`)), timeLimit)
  })
  try {
    return await Promise.race([work(), late])
  } finally {
    clearTimeout(timer)
  }
}
