import type { Access, AnyAccessor, Principal, RestoreModule, Storage } from '@strongroom/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ActorOf } from '../actor.ts'
import type { Figure } from '../observe/figure.ts'
import { isProduction } from '../production.ts'
import { refuse } from '../refuse.ts'

/** Routes of others than the library as the OpenAPI document takes them in. */
export interface DescribedRoutes {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly tag: { readonly name: string; readonly description: string }
}

/** How a server knows who asks. */
export interface Authentication {
  /**
   * Names the caller of a request, or null where the request says nothing of one. It is asked once for each request, and again
   * while one follows a feed of changes.
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

/** What is given as `auth`: how a server knows who asks, or `false`, where nobody logs in and `X-User` is believed. */
export type GivenAuthentication = Authentication | false

interface Given {
  readonly auth?: GivenAuthentication | undefined
  readonly actor?: ActorOf | undefined
}

/** Checks what was given as `auth`. Throws UsageError `invalid_options`. */
export function checkAuthentication({ auth, actor }: Given): Authentication | undefined {
  if (auth === undefined || auth === false) return undefined
  if (typeof auth !== 'object' || auth === null || typeof auth.authenticate !== 'function')
    refuse('auth is trustedHeader(), an object with authenticate(request), which answers a principal or null, or false.')
  if (actor !== undefined) refuse('auth names whoever writes. Leave actor out, or leave auth out.')
  return auth
}

const choices =
  'auth: passwordAuthentication(…) of @strongroom/auth (users who sign in), auth: { authenticate: (request) => … } (your own login, with rules), actor: (request) => … (your own login, which only names whoever writes), auth: trustedHeader() (a closed network, or a proxy that authenticates), or auth: false (nobody logs in: X-User is believed)'

/** Production has to say how it knows who asks. Throws UsageError `invalid_options` that names the choices. */
export function requireChoice({ auth, actor }: Given): void {
  if (auth !== undefined || actor !== undefined || !isProduction()) return
  refuse(
    `Who asks has to be known in production, which is every NODE_ENV but development and test, and none at all. Choose one: ${choices}.`,
  )
}
