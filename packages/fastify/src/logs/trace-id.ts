import type { FastifyRequest } from 'fastify'

/** The form of the header `traceparent` (W3C Trace Context): version, trace, parent, flags. */
const form = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}/

/** The id of the trace that a request is part of; null where it says none. */
export function traceIdOf({ headers: { traceparent } }: FastifyRequest): string | null {
  return typeof traceparent === 'string' ? (form.exec(traceparent)?.[1] ?? null) : null
}
