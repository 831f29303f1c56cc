import { createHash } from 'node:crypto'
import type { Count, CountOptions } from '@strongroom/core'

/** How many requests a caller may make. */
export interface Rate {
  readonly requests: number
  /** Milliseconds, from the caller's first request on. */
  readonly period: number
}

/** What became of a request. */
export interface Verdict {
  readonly allowed: boolean
  /** Requests that are left. */
  readonly remaining: number
  /** Milliseconds until there are all again. */
  readonly reset: number
}

/** What a process holds for one caller. */
interface Share {
  /** Requests that this process may still admit. */
  left: number
  /** Requests that nobody has taken a share of yet, when this share was taken. */
  beyond: number
  /** Requests that this process has admitted, for when the database does not answer. */
  admitted: number
  endsAt: number
}

export interface RateLimiterParts extends Rate {
  /** Adds to a counter that all processes share. */
  readonly count: (name: string, options: CountOptions) => Promise<Count>
  readonly warn: (message: string) => void
}

/** A process takes a tenth of the limit at a time, and no more than so many: what it does not use, others cannot. */
const largestShare = 1_000
/** Milliseconds that a request waits for the database, and for how long nobody asks it again when it has not answered. */
const patience = { answer: 500, again: 5_000 }
/** Callers that are remembered: some 20 MB. */
const mostCallers = 100_000

/**
 * Admits requests. A process takes shares of a caller's limit from a counter in the database, and admits by them without asking anybody.
 * All processes together never admit more than the limit; one that has shares left over keeps at most a tenth of it from the others.
 * While the database does not answer, each process holds to the limit by itself.
 */
export class RateLimiter {
  readonly #parts: RateLimiterParts
  readonly #shareSize: number
  readonly #shares = new Map<string, Share>()
  readonly #pending = new Map<string, Promise<void>>()
  /** By a clock that nobody sets. */
  #aloneUntil = Number.NEGATIVE_INFINITY

  constructor(parts: RateLimiterParts) {
    this.#parts = parts
    this.#shareSize = Math.min(largestShare, Math.max(1, Math.floor(parts.requests / 10)))
  }

  /** Counts one request of a caller; at once where this process has a share of the limit, which is most of the time. */
  admit(caller: string): Verdict | Promise<Verdict> {
    return this.#decide(caller) ?? this.#admitLater(caller)
  }

  async #admitLater(caller: string): Promise<Verdict> {
    for (;;) {
      await this.#renew(caller)
      const verdict = this.#decide(caller)
      if (verdict) return verdict
    }
  }

  #decide(caller: string): Verdict | undefined {
    const share = this.#shares.get(caller)
    const reset = share ? share.endsAt - Date.now() : 0
    if (!share || reset <= 0) return undefined
    if (share.left === 0) return share.beyond === 0 ? { allowed: false, remaining: 0, reset } : undefined
    share.left -= 1
    share.admitted += 1
    return { allowed: true, remaining: share.left + share.beyond, reset }
  }

  /** Those who wait for the same share wait together. */
  #renew(caller: string): Promise<void> {
    const pending = this.#pending.get(caller) ?? this.#takeShare(caller).finally(() => this.#pending.delete(caller))
    this.#pending.set(caller, pending)
    return pending
  }

  async #takeShare(caller: string): Promise<void> {
    const { requests, period } = this.#parts
    const before = this.#shares.get(caller)
    const admitted = before && before.endsAt > Date.now() ? before.admitted : 0
    const count = await this.#count(caller)
    if (!count) {
      const left = Math.min(this.#shareSize, requests - admitted)
      const endsAt = admitted > 0 && before ? before.endsAt : Date.now() + period
      return this.#keep(caller, { left, beyond: requests - admitted - left, admitted, endsAt })
    }
    const left = Math.max(0, Math.min(this.#shareSize, requests - (count.total - this.#shareSize)))
    const endsAt = Math.min(count.endsAt.getTime(), Date.now() + period)
    this.#keep(caller, { left, beyond: Math.max(0, requests - count.total), admitted, endsAt })
  }

  async #count(caller: string): Promise<Count | undefined> {
    if (performance.now() < this.#aloneUntil) return undefined
    const name = `rate:${createHash('sha256').update(caller).digest('base64url')}`
    const { promise: late, resolve } = Promise.withResolvers<undefined>()
    const timer = setTimeout(resolve, patience.answer, undefined)
    try {
      const counted = this.#parts.count(name, { period: this.#parts.period, amount: this.#shareSize })
      // An answer that comes too late may be a refusal, which nobody hears.
      counted.catch(() => undefined)
      return (await Promise.race([counted, late])) ?? this.#goAlone()
    } catch {
      return this.#goAlone()
    } finally {
      clearTimeout(timer)
    }
  }

  #goAlone(): undefined {
    this.#aloneUntil = performance.now() + patience.again
    this.#parts.warn('The database did not count requests in time: this process holds to the rate limit by itself for some seconds.')
  }

  #keep(caller: string, share: Share): void {
    this.#shares.delete(caller)
    if (this.#shares.size >= mostCallers) this.#forget()
    this.#shares.set(caller, share)
  }

  /** Forgets whose period is over, and the oldest tenth where that was nobody. */
  #forget(): void {
    const now = Date.now()
    for (const [caller, { endsAt }] of this.#shares) if (endsAt <= now) this.#shares.delete(caller)
    for (const caller of this.#shares.keys()) {
      if (this.#shares.size < mostCallers * 0.9) return
      this.#shares.delete(caller)
    }
  }
}
