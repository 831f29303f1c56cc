import type { FastifyInstance, FastifyRequest } from 'fastify'
import { notesOf } from './request-notes.ts'

/** What is known of a route of ours before any request: the same words in logs, metrics and traces. */
export interface RouteFacts {
  /** The component whose records it is about, `db` for the operators' routes; null for the others. */
  readonly component: string | null
  /** What it does: `list`, `create`, `health`. */
  readonly operation: string
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Routes of Strongroom have it. */
    strongroom?: RouteFacts
  }
}

const decorator = Symbol('strongroom.component')

/** Says whose records the routes of a scope are about. */
export function setComponent(scope: FastifyInstance, component: string): void {
  scope.decorate(decorator, component)
}

/** Whose records the routes of a scope are about, if anybody's. */
export function componentOf(scope: FastifyInstance): string | null {
  return scope.hasDecorator(decorator) ? scope.getDecorator<string>(decorator) : null
}

/** What is known of the route that a request has found; undefined where it is none of ours. */
export function routeFactsOf(request: FastifyRequest): RouteFacts | undefined {
  return notesOf(request).route.config.strongroom
}

/** Keeps who was found to make a request. */
export function noteActor(request: FastifyRequest, actor: string): string {
  notesOf(request).actor = actor
  return actor
}

/** Who makes a request, as far as it was asked; null where nobody asked. */
export function notedActor(request: FastifyRequest): string | null {
  return notesOf(request).actor
}
