import { type Principal, type Storage, StrongroomError } from '@strongroom/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Authentication } from '../auth/authentication.ts'
import { identify } from '../auth/identity.ts'
import { isPromise } from '../is-promise.ts'
import { isFromThisMachine } from '../operators/guard.ts'
import { routeFactsOf } from '../request-facts.ts'
import { addressKey } from './caller-key.ts'
import type { RateLimit } from './rate-limit.ts'
import { RateLimiter, type Verdict } from './rate-limiter.ts'

/** Refuses callers of a scope's routes who ask too often. `storage` counts, and may be opened later than this; `auth` names callers. */
export function limitRequests(scope: FastifyInstance, limit: RateLimit, storage: () => Storage, auth?: Authentication): void {
  const { requests, period, by = auth && loginOf(auth) } = limit
  const limiter = new RateLimiter({
    requests,
    period: period * 1000,
    count: (name, options) => storage().count(name, options),
    warn: (message) => scope.log.warn(message),
  })
  const policy = `"default";q=${requests};w=${period}`
  scope.addHook('onRequest', (request, reply, done) => {
    if (isLocalCheck(request)) return done()
    const tell = ({ allowed, remaining, reset }: Verdict): void => {
      const seconds = Math.max(1, Math.ceil(reset / 1000))
      reply.header('ratelimit-policy', policy).header('ratelimit', `"default";r=${remaining};t=${seconds}`)
      done(allowed ? undefined : tooMany(limit, seconds))
    }
    // Most are known at once, and need not wait for a turn.
    const name = by?.(request)
    const verdict = isPromise(name)
      ? name.then((known) => limiter.admit(callerKey(known, request)))
      : limiter.admit(callerKey(name, request))
    if (isPromise(verdict)) verdict.then(tell, done)
    else tell(verdict)
  })
}

function tooMany({ requests, period }: RateLimit, seconds: number): StrongroomError {
  const sentence = `You may make ${requests} requests in ${period} seconds. Try again in ${seconds}.`
  return new StrongroomError('too_many_requests', sentence, { retryAfter: seconds })
}

/** A name of a caller and an address are never the same. */
function callerKey(name: string | null | undefined, request: FastifyRequest): string {
  return name ? `principal ${name}` : addressOf(request)
}

function addressOf(request: FastifyRequest): string {
  return `address ${addressKey(request.ip)}`
}

/** Whoever has no login, or a bad one, is counted by address. */
function loginOf(auth: Authentication): RateLimit['by'] {
  if (auth.proves === false) return undefined
  return (request) => {
    const known = attempt(() => identify(auth, request))
    return isPromise(known) ? known.then(nameOf, () => undefined) : nameOf(known)
  }
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

/** Names of principals that stay as they are, which is what an authentication that remembers callers answers. */
const names = new WeakMap<Principal, string>()

/** Tenants may number their principals each for itself. */
function nameOf(principal: Principal | undefined): string | undefined {
  if (principal === undefined || principal.id === null) return undefined
  const known = names.get(principal)
  if (known !== undefined) return known
  const name = JSON.stringify([principal.tenant, principal.id])
  if (Object.isFrozen(principal)) names.set(principal, name)
  return name
}

const checks: readonly (string | undefined)[] = ['health', 'ready', 'metrics']

/** Whoever watches the server on its own machine does so all the time. */
function isLocalCheck(request: FastifyRequest): boolean {
  const route = routeFactsOf(request)
  return route?.component === null && checks.includes(route.operation) && isFromThisMachine(request)
}
