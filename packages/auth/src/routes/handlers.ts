import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ApiKeys } from '../api-keys/api-keys.ts'
import type { LoginAttempts } from '../attempts/login-attempts.ts'
import type { Caller } from '../caller.ts'
import type { ResolvedOptions } from '../options.ts'
import type { PasswordHasher } from '../passwords/password-hasher.ts'
import type { Revocations } from '../revocations/revocations.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { AccessTokens } from '../tokens/access-tokens.ts'
import type { UserDirectory } from '../users/user-directory.ts'
import type { Body } from './read-body.ts'

/** All that the routes work with. */
export interface Desk {
  readonly options: ResolvedOptions
  readonly users: UserDirectory
  readonly hasher: PasswordHasher
  readonly attempts: LoginAttempts
  readonly sessions: Sessions
  readonly tokens: AccessTokens
  readonly revocations: Revocations
  readonly apiKeys: ApiKeys
  /** Who a request is from, or null where it says nothing. Throws `unauthorized` for credentials that are no good. */
  callerOf(request: FastifyRequest): Caller | null | Promise<Caller | null>
}

/** A request at the desk. */
export interface Visit {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly body: Body
  readonly requestId: string
  /** Milliseconds since 1970, when the request was there as a whole. */
  readonly receivedAt: number
}

/** Answers a request with the JSON that it returns. */
export type Handler = (desk: Desk, visit: Visit) => Promise<unknown>
