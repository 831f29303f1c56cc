import type { Storage } from '@strongroom/core'
import type { FastifyInstance, RouteHandlerMethod } from 'fastify'
import { onBehalf } from '../auth/identity.ts'
import { mountRoute } from '../mount.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { ResolvedOptions } from '../options.ts'
import { answerJson } from '../reply.ts'
import { mountDocs } from './docs.ts'
import { tellMetrics } from './metrics.ts'

/** What the routes of the server itself stand on. */
export interface SystemSettings extends Pick<ResolvedOptions, 'systemPaths' | 'auth' | 'operators'> {
  /** Undefined where nobody counts. */
  readonly metrics: Metrics | undefined
}

/** Mounts the routes of the server itself, each where the options put it. `document` makes the OpenAPI document. */
export function mountSystem(
  scope: FastifyInstance,
  storage: Storage,
  { systemPaths: paths, auth, operators, metrics }: SystemSettings,
  document: () => unknown,
): void {
  const mount = (operation: 'health' | 'ready' | 'metrics' | 'openapi', handler: RouteHandlerMethod): void => {
    const path = paths[operation]
    if (path !== false) mountRoute(scope, { method: 'GET', path, operation }, handler)
  }
  mount('health', async (_request, reply) =>
    answerJson(reply.header('cache-control', 'no-store'), 200, { status: 'ok' }, { message: 'Alive' }),
  )
  if (metrics) mount('metrics', onBehalf(auth, storage, tellMetrics(storage, metrics, operators)))
  mount('ready', async (_request, reply) => {
    await storage.ping()
    return answerJson(reply.header('cache-control', 'no-store'), 200, { status: 'ok' }, { message: 'Ready' })
  })
  let text: string | undefined
  mount('openapi', async (_request, reply) => {
    text ??= JSON.stringify(document())
    return reply.type('application/json; charset=utf-8').send(text)
  })
  if (paths.docs !== false && paths.openapi !== false) mountDocs(scope, paths.docs, paths.openapi)
}
