import { type CallerOptions, type Principal, type Storage, StrongroomError } from '@strongroom/core'
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { isPromise } from '../is-promise.ts'
import { requestNames } from '../request-id.ts'
import { notesOf } from '../request-notes.ts'
import type { Authentication } from './authentication.ts'

/** Whoever sends a request that names nobody. */
const anonymous: Principal = Object.freeze({ id: null, name: 'anonymous', roles: Object.freeze(['anonymous']) })

/** Who sent a request; undefined where nothing authenticates it, or nothing has yet. */
export function principalOf(request: FastifyRequest): Principal | undefined {
  return notesOf(request).principal
}

/** Who sent a request that was looked at. */
export function requiredPrincipal(request: FastifyRequest): Principal {
  const { principal } = notesOf(request)
  if (!principal) throw new StrongroomError('internal_error', 'The caller of a request is asked for before it is known.')
  return principal
}

/** Whether a request was looked at and names nobody: a login might help. */
export function isAnonymous(request: FastifyRequest): boolean {
  return notesOf(request).principal === anonymous
}

/** The name of a principal in stamps and audit entries. */
function actorName({ id, name }: Principal): string {
  return name ?? String(id)
}

/** Who writes. Throws StrongroomError `missing_actor` for nobody, where names are all there is to go by. */
export function authenticatedActor(request: FastifyRequest, named: boolean): string {
  if (named && isAnonymous(request))
    throw new StrongroomError('missing_actor', 'This server wants to know who writes. Name yourself in its header.')
  return actorName(requiredPrincipal(request))
}

/** Finds out who sent a request, once. Throws what `authenticate` throws, and StrongroomError for an answer that is no principal. */
export function identify(auth: Authentication, request: FastifyRequest): Principal | Promise<Principal> {
  const { principal } = notesOf(request)
  if (principal) return principal
  const found = auth.authenticate(request)
  return isPromise(found) ? Promise.resolve(found).then((answer) => keep(request, answer)) : keep(request, found)
}

/** Checks what an authentication answered, and keeps it for the request. */
function keep(request: FastifyRequest, answer: Principal | null | undefined): Principal {
  const found = answer ?? anonymous
  // Code without types may answer anything, and a caller with an undefined id would be nobody in particular.
  if (typeof found !== 'object' || (!isName(found.id) && found !== anonymous))
    throw new StrongroomError('internal_error', 'authenticate answered no principal: { id, roles }.')
  const { roles, scopes, tenant }: { readonly roles?: unknown; readonly scopes?: unknown; readonly tenant?: unknown } = found
  if (roles !== undefined && !(Array.isArray(roles) && roles.every((role) => typeof role === 'string')))
    throw new StrongroomError('internal_error', "authenticate answered a principal whose roles are no list of names: roles: ['admin'].")
  if (scopes !== undefined && scopes !== null && !(Array.isArray(scopes) && scopes.every((scope) => typeof scope === 'string')))
    throw new StrongroomError('internal_error', "authenticate answered a principal whose scopes are no list: scopes: ['users:read'].")
  if (tenant !== undefined && tenant !== null && typeof tenant !== 'string' && !Number.isSafeInteger(tenant))
    throw new StrongroomError('internal_error', 'authenticate answered a principal whose tenant is no text.')
  const notes = notesOf(request)
  notes.principal = found
  notes.actor = actorName(found)
  return found
}

function isName(id: unknown): boolean {
  return (typeof id === 'string' && id !== '') || Number.isSafeInteger(id)
}

/** Makes a handler run on behalf of whoever sent the request: what it reads and writes keeps to that caller's rules. */
export function onBehalf(auth: Authentication | undefined, storage: Storage | undefined, handler: RouteHandlerMethod): RouteHandlerMethod {
  if (!auth || !storage) return handler
  return function (request: FastifyRequest, reply: FastifyReply) {
    const known = identify(auth, request)
    const act = (principal: Principal): unknown => {
      const caller: CallerOptions = { principal, actor: actorName(principal), ...requestNames(request) }
      // The server is the handler's `this`, as Fastify has it.
      return storage.actingAs(caller, () => handler.call(this, request, reply))
    }
    return isPromise(known) ? known.then(act) : act(known)
  }
}

/**
 * Runs something for whoever sent a request, as that caller is now: a request that takes long outlives what was known when it came. What
 * the authentication remembers of a request it cannot remember of this one, which is the same and new.
 */
export async function onBehalfAnew<T>(
  auth: Authentication | undefined,
  storage: Storage | undefined,
  request: FastifyRequest,
  work: (request: FastifyRequest) => Promise<T>,
): Promise<T> {
  if (!auth || !storage) return await work(request)
  // It has everything that the request has.
  const again = Object.create(request) as FastifyRequest
  const principal = await identify(auth, again)
  return await storage.actingAs({ principal, actor: actorName(principal), ...requestNames(request) }, () => work(again))
}

/** The same for all handlers of a router. */
export function allOnBehalf<Name extends string>(
  auth: Authentication | undefined,
  storage: Storage | undefined,
  handlers: Readonly<Record<Name, RouteHandlerMethod>>,
): Readonly<Record<Name, RouteHandlerMethod>> {
  const wrapped = Object.entries<RouteHandlerMethod>(handlers).map(([name, handler]) => [name, onBehalf(auth, storage, handler)])
  // The same names as before.
  return Object.fromEntries(wrapped) as Readonly<Record<Name, RouteHandlerMethod>>
}
