import { Readable } from 'node:stream'
import type { Pagination } from '@strongroom/contract'
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
  return answerText(reply, status, JSON.stringify(data), about)
}

/** The same for data that are JSON text already. */
export function answerText(reply: FastifyReply, status: number, text: string, { message, pagination }: About): string {
  reply.code(status).header('content-type', 'application/json; charset=utf-8')
  if (responseStyleOf(reply.request) === 'bare') return text
  // The members of a SuccessEnvelope.
  return `{"success":true,"message":${JSON.stringify(message)},"data":${text},"pagination":${JSON.stringify(pagination ?? null)}}`
}

/** Answers HEAD where nobody knows how long the answer to GET would be: without a length, which is 0 where nothing is sent (RFC 9110, 8.6). */
export function answerHead(reply: FastifyReply): FastifyReply {
  return reply.send(Readable.from([]))
}

/** Lets scripts of other origins read these headers, beside the ones that the host exposes; `names` as they stand in a header, with commas. */
export function exposeHeaders(reply: FastifyReply, names: string): void {
  const before = reply.getHeader(exposed)
  reply.header(exposed, before === undefined ? names : joined(String(before), names))
}

const exposed = 'access-control-expose-headers'

function joined(before: string, names: string): string {
  const all = [before, names].flatMap((list) => list.split(',')).map((name) => name.trim())
  return [...new Set(all)].join(', ')
}
