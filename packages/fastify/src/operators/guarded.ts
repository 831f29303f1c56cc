import type { FastifyReply } from 'fastify'

/** What an operator asked for is nobody else's. */
export function guarded(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
}
