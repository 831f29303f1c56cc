import type { RetryOptions } from './options.ts'

/** The options of retries, all of them said. */
export type Patience = { readonly [Name in keyof RetryOptions]-?: NonNullable<RetryOptions[Name]> }

/** Milliseconds; a timer of more would end at once. */
export const longestTimer = 2 ** 31 - 1

/** Reads the options of retries. Throws RangeError for numbers that cannot be. */
export function patienceOf({ attempts = 4, delay = 200, maxDelay = 5_000, maxRetryAfter = 60_000 }: RetryOptions = {}): Patience {
  if (!Number.isSafeInteger(attempts) || attempts < 1) throw new RangeError('retries.attempts is a whole number from 1 on.')
  for (const [name, value] of Object.entries({ delay, maxDelay, maxRetryAfter })) {
    if (!(value >= 0)) throw new RangeError(`retries.${name} is a number of milliseconds from 0 on.`)
  }
  return { attempts, delay, maxDelay, maxRetryAfter }
}

/**
 * Milliseconds to wait before the next try, or undefined where there is none.
 *
 * @param tried how many tries there were
 * @param retryAfter milliseconds that the server asked for
 */
export function waitBeforeNext(patience: Patience, tried: number, retryAfter: number | undefined): number | undefined {
  if (tried >= patience.attempts) return undefined
  if (retryAfter !== undefined && retryAfter > patience.maxRetryAfter) return undefined
  // Full jitter: clients that failed together do not come back together.
  const backoff = Math.random() * Math.min(patience.maxDelay, patience.delay * 2 ** (tried - 1))
  return (retryAfter ?? 0) + backoff
}

/** Reads `Retry-After`: seconds, or an HTTP date. Milliseconds from now, or undefined for anything else. */
export function readRetryAfter(text: string | null, now: number): number | undefined {
  if (text === null) return undefined
  if (/^\s*\d+\s*$/.test(text)) return Number(text) * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** Waits; rejects with the signal's reason when that comes first. */
export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', stop)
        resolve()
      },
      Math.min(milliseconds, longestTimer),
    )
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()
  })
}
