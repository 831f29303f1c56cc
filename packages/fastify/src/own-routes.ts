import type { Storage } from '@strongroom/core'
import type { FastifyInstance } from 'fastify'
import type { Authentication, DescribedRoutes } from './auth/authentication.ts'
import { onBehalf } from './auth/identity.ts'
import { refuse } from './refuse.ts'

/**
 * Routes of the program's own, beside those of the library and below the same prefix. Their handlers run on behalf of whoever sent the
 * request: accessors that they call hold that caller's rules and tenant, and write in its name. Bodies are JSON, errors become the server's
 * problems, and rate limits, logs and metrics count them.
 *
 * @example
 * const routes: OwnRoutes = {
 *   mount: (scope) => void scope.get('/latest', async () => ({ latest: await notes.findOne({ orderBy: '-id' }) })),
 * }
 * await bootstrap(app, { accessors: [notes], routes })
 */
export interface OwnRoutes {
  /** Adds the routes to a scope; `storage` is the server's. */
  mount(scope: FastifyInstance, storage: Storage): void | Promise<void>
  /**
   * Describes them for the OpenAPI document.
   * @param prefix stands before every path
   * @param problem the schema of errors
   */
  openApi?(prefix: string, problem: Readonly<Record<string, unknown>>): DescribedRoutes
}

/** Checks the option `routes`. Throws UsageError `invalid_options` with a sentence. */
export function checkOwnRoutes(routes: OwnRoutes | undefined): OwnRoutes | undefined {
  if (routes === undefined) return undefined
  if (typeof routes !== 'object' || routes === null || typeof routes.mount !== 'function')
    return refuse('routes is an object with a function that mounts them: routes: { mount: (scope, storage) => … }.')
  return routes
}

/** Mounts them in a scope of their own, each handler on behalf of its caller. */
export async function mountOwnRoutes(
  scope: FastifyInstance,
  storage: Storage,
  routes: OwnRoutes,
  auth: Authentication | undefined,
): Promise<void> {
  await scope.register(async (own) => {
    own.addHook('onRoute', (route) => {
      route.handler = onBehalf(auth, storage, route.handler)
    })
    await routes.mount(own, storage)
  })
}
