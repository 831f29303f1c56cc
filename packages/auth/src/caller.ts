import { everyTenant, ForbiddenError, type Principal } from '@strongroom/core'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AccessClaims } from './tokens/access-tokens.ts'
import type { KnownUser } from './users/user-directory.ts'

/** Who a request is from, and by what it says so. */
export interface Caller {
  readonly user: KnownUser
  readonly principal: Principal
  /** The claims of an access token; undefined for an API key. */
  readonly claims: AccessClaims | undefined
}

/** Throws ForbiddenError for a program with a key: a key that has leaked must not make others, or lock its user out. */
export function requireSession(caller: Caller): Caller & { readonly claims: AccessClaims } {
  const { claims } = caller
  if (!claims) throw new ForbiddenError('An API key cannot do this. Sign in with a password.')
  return { ...caller, claims }
}

/** Whether the caller looks after a user: administrators do for those of their own tenant. */
export function looksAfter({ principal }: Caller, user: KnownUser, administrators: string): boolean {
  if (!principal.roles?.includes(administrators)) return false
  return principal.tenant === everyTenant || (principal.tenant ?? null) === (user.principal.tenant ?? null)
}

/** The id of the request as its answer and the audit log have it. */
export function requestIdOf(request: FastifyRequest, reply: FastifyReply): string {
  const given = reply.getHeader('x-request-id')
  return typeof given === 'string' && given !== '' ? given : request.id
}
