import { type ResponseStyle, responseStyles } from '@strongroom/contract'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { refuse } from './refuse.ts'

const decorator = Symbol('strongroom.responses')

/** Fills in how a server answers. Throws UsageError `invalid_options` for a style that there is not. */
export function resolveResponseStyle(given: ResponseStyle = 'bare'): ResponseStyle {
  return responseStyles.includes(given) ? given : refuse(`responses is one of ${responseStyles.join(', ')}.`)
}

/** Says how the routes of a scope answer, and those of the scopes inside it. */
export function setResponseStyle(scope: FastifyInstance, style: ResponseStyle): void {
  scope.decorate(decorator, style)
}

/** How the scope of a request answers. */
export function responseStyleOf({ server }: FastifyRequest): ResponseStyle {
  // Decorators are properties of the server; to ask for one in its own words takes two looks.
  return (server as { readonly [decorator]?: ResponseStyle })[decorator] ?? 'bare'
}
