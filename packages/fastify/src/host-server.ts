import type { FastifyBaseLogger, FastifyInstance } from 'fastify'

/** Any Fastify server, whatever its HTTP version, logger and type provider: their types do not fit each other's. */
export interface HostServer {
  readonly log: Pick<FastifyBaseLogger, 'info' | 'warn' | 'error'>
  readonly decorate: unknown
  readonly register: unknown
  hasDecorator(name: string): boolean
}

/** The same server in the types of a plain one; the methods that we use are alike in all of them. */
export function plainServer(app: HostServer): FastifyInstance {
  return app as FastifyInstance
}
