import type { FastifyInstance, FastifyRequest } from 'fastify'
import { notesOf } from '../request-notes.ts'
import type { Metrics } from './metrics.ts'
import { onRequestEnd } from './request-end.ts'

/** A request as it is counted. */
export interface AnsweredRequest {
  readonly method: string
  /** The route's template, which holds no id and nothing that clients make up. */
  readonly route: string
  /** Null where the client went before its answer was sent. */
  readonly status: number | null
  readonly seconds: number
}

/** What stands for the route where there is none. */
const nowhere = 'none'

const decorator = Symbol('strongroom.metrics')

/** The metrics that requests of a scope are counted in already, if any. */
export function metricsOf(scope: FastifyInstance): Metrics | undefined {
  return scope.hasDecorator(decorator) ? scope.getDecorator<Metrics>(decorator) : undefined
}

/** Counts the requests of a scope. */
export function watchRequests(scope: FastifyInstance, metrics: Metrics): void {
  scope.decorate(decorator, metrics)
  onRequestEnd(scope, (request, reply, aborted) => {
    const status = aborted ? null : reply.statusCode
    metrics.answered({
      method: request.method,
      route: routeOf(request),
      status,
      seconds: (performance.now() - notesOf(request).began) / 1000,
    })
  })
}

/** The template of a request's route, the same with and without a trailing slash. */
export function routeOf(request: FastifyRequest): string {
  const { url } = notesOf(request).route
  if (url === undefined) return nowhere
  return url.length > 1 && url.endsWith('/') ? url.slice(0, -1) : url
}
