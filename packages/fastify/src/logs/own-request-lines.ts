import Fastify, { type FastifyServerOptions } from 'fastify'

const wanted = { disableRequestLogging: true, requestIdLogLabel: 'request_id' } as const

/** Keeps Fastify from logging requests itself: one line for each is ours. Before 5.12 it takes that in another form. */
export function ownRequestLines(): Pick<FastifyServerOptions, 'logController' | keyof typeof wanted> {
  // The types are those of the newest version.
  const { LogController } = Fastify as Partial<typeof Fastify>
  return LogController ? { logController: new LogController(wanted) } : wanted
}
