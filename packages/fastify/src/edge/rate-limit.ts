import type { FastifyRequest } from 'fastify'
import { refuse, refuseUnknown, wholeNumber } from '../refuse.ts'

/** How often callers may ask. */
export interface RateLimit {
  /** How many requests a caller may make in a period. */
  readonly requests: number
  /** The period in seconds, from the caller's first request on. */
  readonly period: number
  /** Names the caller whose requests are counted, from a login that was checked; those that it names nobody for are counted by address. */
  readonly by?: ((request: FastifyRequest) => string | null | undefined | Promise<string | null | undefined>) | undefined
}

/** Checks a rate limit. Throws UsageError `invalid_options`. */
export function checkRateLimit(given: RateLimit | undefined): RateLimit | undefined {
  if (given === undefined) return undefined
  if (typeof given !== 'object' || given === null) refuse('rateLimit is { requests: 100, period: 60 }.')
  refuseUnknown('rateLimit', given, ['requests', 'period', 'by'])
  wholeNumber('rateLimit.requests', given.requests)
  wholeNumber('rateLimit.period', given.period)
  if (given.by !== undefined && typeof given.by !== 'function') refuse('rateLimit.by is a function of the request that answers a name.')
  return given
}
