import type { FastifyReply } from 'fastify'

/** Answers with JSON. It is written here, so that no serializer of the host has a say in it. */
export function sendJson(reply: FastifyReply, status: number, value: unknown): FastifyReply {
  return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(value))
}

/** Lets scripts of other origins read these headers, beside the ones that the host exposes. */
export function exposeHeaders(reply: FastifyReply, names: readonly string[]): void {
  const before = reply.getHeader('access-control-expose-headers')
  const known =
    before === undefined
      ? []
      : String(before)
          .split(',')
          .map((name) => name.trim())
  reply.header('access-control-expose-headers', [...new Set([...known, ...names])].join(', '))
}
