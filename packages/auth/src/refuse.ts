import { StrongroomError, UsageError } from '@strongroom/core'

/** Refuses options. */
export function refuse(message: string): never {
  throw new UsageError('invalid_options', message)
}

/** Refuses credentials. It says the same whatever is wrong with them. */
export function unauthorized(message: string): StrongroomError {
  return new StrongroomError('unauthorized', message)
}

/** Refuses an attempt that comes too early, or one too many. `retryAfter` is in seconds. */
export function tooMany(message: string, retryAfter: number): StrongroomError {
  return new StrongroomError('too_many_requests', message, { retryAfter })
}
