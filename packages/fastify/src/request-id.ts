import type { IncomingHttpHeaders } from 'node:http'
import { makeUuid, StrongroomError } from '@strongroom/core'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { notesOf } from './request-notes.ts'
import { traceIdOf } from './trace-id.ts'

/** Printable ASCII, as long as an id may be in an audit entry that somebody has to read. */
const acceptable = /^[\x20-\x7e]{1,128}$/

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The id that the client gave the request, if it is acceptable. */
export function clientRequestId(headers: IncomingHttpHeaders): string | undefined {
  const given = headers['x-request-id']
  return typeof given === 'string' && acceptable.test(given) ? given : undefined
}

/** A fresh id. It begins with the time: the audit log has an index of them, whose every page would be written by random ones. */
export const newRequestId = makeUuid

/** The id of a request: the client's, the host's where that is a UUID, or a new one; the same whenever it is asked. */
export function requestIdOf(request: FastifyRequest): string {
  const notes = notesOf(request)
  notes.requestId ??= clientRequestId(request.headers) ?? (uuid.test(request.id) ? request.id : newRequestId())
  return notes.requestId
}

/** What names a request in what is written for it. */
export function requestNames(request: FastifyRequest): { readonly requestId: string; readonly traceId?: string } {
  const traceId = traceIdOf(request)
  return { requestId: requestIdOf(request), ...(traceId !== null && { traceId }) }
}

/** Answers with the request's id; the error for one that cannot stand in the audit log. */
export function echoRequestId(request: FastifyRequest, reply: FastifyReply): StrongroomError | undefined {
  reply.header('x-request-id', requestIdOf(request))
  if (request.headers['x-request-id'] !== undefined && clientRequestId(request.headers) === undefined) {
    return new StrongroomError('bad_request', 'X-Request-Id is 1 to 128 characters of printable ASCII. Shorten it or leave it out.')
  }
  return undefined
}
