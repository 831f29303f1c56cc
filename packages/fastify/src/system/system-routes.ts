import type { Storage } from '@strongroom/core'
import type { FastifyInstance, RouteHandlerMethod } from 'fastify'
import { mountRoute } from '../mount.ts'
import type { ResolvedOptions } from '../options.ts'
import { sendJson } from '../reply.ts'
import { mountDocs } from './docs.ts'

/** Mounts the routes of the server itself, each where the options put it. `document` makes the OpenAPI document. */
export function mountSystem(
  scope: FastifyInstance,
  storage: Storage,
  paths: ResolvedOptions['systemPaths'],
  document: () => unknown,
): void {
  const mount = (operation: 'health' | 'ready' | 'openapi', handler: RouteHandlerMethod): void => {
    const path = paths[operation]
    if (path !== false) mountRoute(scope, { method: 'GET', path, operation }, handler)
  }
  mount('health', async (_request, reply) =>
    sendJson(reply.header('cache-control', 'no-store'), 200, { status: 'ok' }, { message: 'Alive' }),
  )
  mount('ready', async (_request, reply) => {
    await storage.ping()
    return sendJson(reply.header('cache-control', 'no-store'), 200, { status: 'ok' }, { message: 'Ready' })
  })
  let text: string | undefined
  mount('openapi', async (_request, reply) => {
    text ??= JSON.stringify(document())
    return reply.type('application/json; charset=utf-8').send(text)
  })
  if (paths.docs !== false && paths.openapi !== false) mountDocs(scope, paths.docs, paths.openapi)
}
