import type { Pagination, SuccessEnvelope } from '@strongroom/contract'
import type { FastifyReply } from 'fastify'
import { responseStyleOf } from './response-style.ts'

/** What an envelope says beside the data. */
export interface About {
  readonly message: string
  /** Of a page of a list. */
  readonly pagination?: Pagination
}

/** Answers with JSON, in the style of the scope. It is written here, so that no serializer of the host has a say in it. */
export function sendJson(reply: FastifyReply, status: number, data: unknown, about: About): FastifyReply {
  const enveloped = responseStyleOf(reply.request) === 'envelope'
  const answer = enveloped
    ? ({ success: true, message: about.message, data, pagination: about.pagination ?? null } satisfies SuccessEnvelope)
    : data
  return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(answer))
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
