import type { Access, AnyAccessor, Principal, RestoreModule, Storage } from '@strongroom/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ActorOf } from '../actor.ts'
import type { Figure } from '../observe/figure.ts'
import { refuse } from '../refuse.ts'

/** Routes of an authentication as the OpenAPI document takes them in. */
export interface DescribedRoutes {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly tag: { readonly name: string; readonly description: string }
}

/** How a server knows who asks. */
export interface Authentication {
  /**
   * Names the caller of a request, or null where the request says nothing of one. It is asked once for each request.
   * @throws StrongroomError `unauthorized` for credentials that are no good
   */
  authenticate(request: FastifyRequest): Principal | null | Promise<Principal | null>
  /** Accessors of its own, which are opened with the server's. They have no record routes. */
  readonly accessors?: readonly AnyAccessor[]
  /** It proves nothing, and only names whoever asks: where nobody wrote any rules (`access`), everybody may do everything, and writes must be named. */
  readonly proves?: false
  /** What a request has to bring, as OpenAPI's security schemes by their names; a bearer token unless said. */
  readonly securitySchemes?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /**
   * Describes its routes for the OpenAPI document.
   * @param prefix stands before every path
   * @param problem the schema of errors
   */
  openApi?(prefix: string, problem: Readonly<Record<string, unknown>>): DescribedRoutes
  /** What a restore has to do with its tables: what was revoked must not come back. */
  readonly restoreModules?: readonly RestoreModule[]
  /** What it counts, for `/metrics`. */
  readonly figures?: readonly Figure[]
  /** Rules for its accessors. */
  readonly access?: readonly Access[]
  /** Mounts routes of its own below the server's prefix; `storage` has its accessors. */
  mount?(scope: FastifyInstance, storage: Storage): void | Promise<void>
}

/** Checks what was given as `auth`. Throws UsageError `invalid_options`. */
export function checkAuthentication(given: {
  readonly auth?: Authentication | undefined
  readonly actor?: ActorOf | undefined
}): Authentication | undefined {
  const { auth, actor } = given
  if (auth === undefined) return undefined
  if (typeof auth !== 'object' || auth === null || typeof auth.authenticate !== 'function')
    refuse('auth is trustedHeader(), or an object with authenticate(request), which answers a principal or null.')
  if (actor !== undefined) refuse('auth names whoever writes. Leave actor out, or leave auth out.')
  return auth
}
