import type { FastifyReply, FastifyRequest } from 'fastify'
import { notesOf } from './request-notes.ts'

/** The form of the header `traceparent` (W3C Trace Context): version, trace, parent, flags. */
const form = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}/

/** Keeps the trace that a request turned out to be part of. */
export function noteTraceId(request: FastifyRequest, traceId: string): void {
  notesOf(request).traceId = traceId
}

/** The id of the trace that a request is part of: its span's, else the client's word; null where there is none. */
export function traceIdOf(request: FastifyRequest): string | null {
  const { traceparent } = request.headers
  return notesOf(request).traceId ?? (typeof traceparent === 'string' ? (form.exec(traceparent)?.[1] ?? null) : null)
}

/** Answers with the trace, if there is one. */
export function echoTraceId(request: FastifyRequest, reply: FastifyReply): void {
  const traceId = traceIdOf(request)
  if (traceId !== null) reply.header('x-trace-id', traceId)
}
