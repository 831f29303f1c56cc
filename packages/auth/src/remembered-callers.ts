import type { Caller } from './caller.ts'

/** A caller who was let in. */
export interface KnownCaller {
  readonly caller: Caller
  /** Milliseconds since 1970 from which on what they have shown is worth nothing. */
  readonly until: number
  /** Is called for each request. */
  readonly used?: () => void
}

/** Callers that are remembered, some 2 MB. */
const mostRemembered = 2_000

/** Characters at the end of what is shown that callers are found by: random ones, and to hash all of a token took longer than to compare it. */
const telling = 24

/**
 * Callers by the token or key that they show. One is let in again only while the database says that nothing has changed since they were
 * last looked up, in whichever process: users, keys, revocations. So a suspension holds at once, as it does where all is read again.
 */
export class RememberedCallers {
  readonly #mark: () => number | undefined
  #callers = new Map<string, KnownCaller & { readonly shown: string }>()
  #since: number | undefined

  /** @param mark a number that has grown when anything may have changed; undefined where nobody knows */
  constructor(mark: () => number | undefined) {
    this.#mark = mark
  }

  /** Who showed this before, to the letter, if nothing has changed since. */
  find(shown: string): Caller | undefined {
    if (this.#now() === undefined) return undefined
    const known = this.#callers.get(endOf(shown))
    if (known?.shown !== shown || Date.now() >= known.until) return undefined
    known.used?.()
    return known.caller
  }

  /** Looks a caller up, and remembers it. What fails is looked up again the next time. */
  async lookUp(shown: string, find: () => Promise<KnownCaller>): Promise<Caller> {
    const before = this.#now()
    const found = await find()
    // What was read may be from before a change that came meanwhile.
    if (before !== undefined && before === this.#now()) {
      if (this.#callers.size >= mostRemembered) this.#callers.clear()
      this.#callers.set(endOf(shown), { ...found, shown })
    }
    return found.caller
  }

  /** Forgets everybody when something has changed. */
  #now(): number | undefined {
    const now = this.#mark()
    if (now !== this.#since) this.#callers = new Map()
    this.#since = now
    return now
  }
}

function endOf(shown: string): string {
  return shown.slice(-telling)
}
