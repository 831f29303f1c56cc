import type { Route } from '@strongroom/contract'
import type { FastifyInstance, RouteHandlerMethod } from 'fastify'
import { componentOf } from './request-facts.ts'

/** What a route does for each operation of its kind. */
export type Handlers<Operation extends string> = Readonly<Record<Operation, RouteHandlerMethod>>

/** Mounts routes below the scope's prefix. `bodyLimit` is in bytes. */
export function mountRoutes<Operation extends string>(
  scope: FastifyInstance,
  routes: readonly Route<Operation>[],
  handlers: Handlers<Operation>,
  bodyLimit: number,
): void {
  for (const route of routes) mountRoute(scope, route, handlers[route.operation], bodyLimit)
}

/** Mounts one route, with and without a trailing slash. A route that the host already has is kept, with a warning. */
export function mountRoute(
  scope: FastifyInstance,
  { method, path, operation }: Pick<Route, 'method' | 'path' | 'operation'>,
  handler: RouteHandlerMethod,
  bodyLimit?: number,
): void {
  for (const url of formsOf(scope, path.replaceAll(/\{(\w+)\}/g, ':$1'))) {
    const place = `${scope.prefix}${url}`
    if (scope.hasRoute({ method, url: place })) {
      scope.log.warn(`The server already has ${method} ${place}. It is kept, and Strongroom's is not mounted.`)
      continue
    }
    scope.route({
      method,
      url,
      handler,
      // Our routes are in a document of their own, and stay out of the host's. The property belongs to @fastify/swagger.
      schema: { hide: true } as object,
      config: { strongroom: { component: componentOf(scope), operation } },
      prefixTrailingSlash: 'slash',
      exposeHeadRoute: method === 'GET' && !scope.hasRoute({ method: 'HEAD', url: place }),
      ...(bodyLimit !== undefined && { bodyLimit }),
    })
  }
}

function formsOf(scope: FastifyInstance, url: string): string[] {
  const { ignoreTrailingSlash, routerOptions } = scope.initialConfig
  const place = `${scope.prefix}${url}`
  if (place === '' || place.endsWith('/')) return [url === '' && place === '' ? '/' : url]
  return ignoreTrailingSlash || routerOptions?.ignoreTrailingSlash ? [url] : [url, `${url}/`]
}
