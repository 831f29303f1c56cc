import { bootstrap } from '@strongroom/fastify'
import Fastify, { type FastifyInstance } from 'fastify'
import { makeAccessors } from './models.ts'

/** A server in memory with a model of every kind. */
export async function startServer(responses: 'bare' | 'envelope'): Promise<FastifyInstance> {
  const app = Fastify({ logger: { level: 'error' } })
  const { people, countries, devices } = makeAccessors()
  await bootstrap(app, { accessors: [people, countries, devices], databaseUrl: 'sqlite::memory:', responses })
  return app
}

/** A server that has as little as possible beside its records. */
export async function startSmallServer(): Promise<FastifyInstance> {
  const app = Fastify()
  const { countries } = makeAccessors()
  const systemRoutes = { health: false, ready: false, metrics: false, docs: false } as const
  await bootstrap(app, {
    accessors: [countries],
    databaseUrl: 'sqlite::memory:',
    enableDbRouter: false,
    actor: () => 'alice',
    systemRoutes,
  })
  return app
}

/** The OpenAPI document as the server answers it. */
export async function documentOf(app: FastifyInstance): Promise<Record<string, unknown>> {
  return (await app.inject('/openapi.json')).json()
}
