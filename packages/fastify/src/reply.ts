import type { Pagination, SuccessEnvelope } from '@strongroom/contract'
import type { FastifyReply } from 'fastify'
import { responseStyleOf } from './response-style.ts'

/** What an envelope says beside the data. */
export interface About {
  readonly message: string
  /** Of a page of a list. */
  readonly pagination?: Pagination
}

/** Makes an answer of JSON, in the style of the scope: the text, which a handler answers. It is written here, so that no serializer of the host has a say in it. */
export function answerJson(reply: FastifyReply, status: number, data: unknown, about: About): string {
  const enveloped = responseStyleOf(reply.request) === 'envelope'
  const answer = enveloped
    ? ({ success: true, message: about.message, data, pagination: about.pagination ?? null } satisfies SuccessEnvelope)
    : data
  reply.code(status).type('application/json; charset=utf-8')
  return JSON.stringify(answer)
}

/** Lets scripts of other origins read these headers, beside the ones that the host exposes. */
export function exposeHeaders(reply: FastifyReply, names: readonly string[]): void {
  const before = reply.getHeader(exposed)
  reply.header(exposed, before === undefined ? names.join(', ') : joined(String(before), names))
}

const exposed = 'access-control-expose-headers'

function joined(before: string, names: readonly string[]): string {
  const known = before.split(',').map((name) => name.trim())
  return [...new Set([...known, ...names])].join(', ')
}
