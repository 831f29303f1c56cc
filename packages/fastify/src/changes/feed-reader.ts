import { AsyncLocalStorage } from 'node:async_hooks'
import type { ChangePage, RecordFeed, Storage } from '@strongroom/core'
import type { FastifyRequest } from 'fastify'
import type { Authentication } from '../auth/authentication.ts'
import { onBehalfAnew } from '../auth/identity.ts'

/** What is followed, and by whom. */
export interface Followed {
  /** The feed of the log, or of a component's records. */
  readonly feed: () => RecordFeed
  readonly storage: Storage | undefined
  readonly auth: Authentication | undefined
  /** Throws for a request that may not, or not any more. */
  readonly check: (request: FastifyRequest) => void | Promise<void>
}

/** Reads the feed for one request, which goes on for longer than what was known of its caller when it came: each page asks anew. */
export class FeedReader {
  readonly #followed: Followed
  readonly #request: FastifyRequest
  /** A stream asks for more wherever there is room, and not where the request was handled. */
  readonly #inRequest = AsyncLocalStorage.snapshot()

  constructor(followed: Followed, request: FastifyRequest) {
    this.#followed = followed
    this.#request = request
  }

  /** The next changes. Throws for a caller who may not read them, or not any more. */
  page(after: string | undefined, limit: number): Promise<ChangePage> {
    return this.#anew(() => this.#followed.feed().page({ after, limit }))
  }

  /** Throws for a caller who may not follow the feed any more. */
  async check(): Promise<void> {
    await this.#anew(() => undefined)
  }

  /** Waits for something to come. Answers whether it did. */
  wait(place: string, timeout: number, signal: AbortSignal): Promise<boolean> {
    return this.#inRequest(() => this.#followed.feed().wait(place, { timeout, signal }))
  }

  #anew<T>(work: () => T | Promise<T>): Promise<T> {
    const { auth, storage, check } = this.#followed
    return this.#inRequest(() =>
      onBehalfAnew(auth, storage, this.#request, async (request) => {
        await check(request)
        return await work()
      }),
    )
  }
}
