import type { Principal } from '@strongroom/core'
import type { FastifyRequest } from 'fastify'

type Route = FastifyRequest['routeOptions']

/** What is known of one request while it lasts. */
export class RequestNotes {
  readonly #request: FastifyRequest
  /** Who makes it, as far as it was asked. */
  actor: string | null = null
  /** Who sent it, once it was looked at. */
  principal: Principal | undefined = undefined
  requestId: string | undefined = undefined
  traceId: string | undefined = undefined
  /** When it was first looked at, on the clock of `performance.now()`. */
  readonly began = performance.now()
  /** Who waits for its end. */
  attendedBy: readonly object[] = nobody
  #route: Route | undefined = undefined

  constructor(request: FastifyRequest) {
    this.#request = request
  }

  isOf(request: FastifyRequest): boolean {
    return this.#request === request
  }

  /** The route that it has found. Fastify makes the object anew each time that it is asked, which half a dozen places do. */
  get route(): Route {
    this.#route ??= this.#request.routeOptions
    return this.#route
  }
}

const nobody: readonly object[] = []

const place = Symbol('strongroom.request')

/**
 * The notes about a request. They stand in the request itself: a map with weak keys for each of them cost the collector of garbage more
 * than all that they hold (measured: a tenth of a governed GET).
 */
export function notesOf(request: FastifyRequest): RequestNotes {
  // The symbol is known in this file alone.
  const noted = request as { [place]?: RequestNotes }
  const known = noted[place]
  // What is made of a request inherits what it has, and is another one.
  if (known?.isOf(request)) return known
  const notes = new RequestNotes(request)
  noted[place] = notes
  return notes
}
