import { type EntityTags, entityTag, parseEntityTags, QueryError } from '@strongroom/contract'
import { type ConditionalWriteOptions, StrongroomError } from '@strongroom/core'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RecordRoom } from './record-room.ts'

/** Says which version of its record an answer shows, where that is known. */
export function sendEntityTag(reply: FastifyReply, version: string | undefined): void {
  if (version !== undefined) reply.header('etag', entityTag(version))
}

/** What a write asks of its record. */
export type Conditions = Pick<ConditionalWriteOptions, 'ifMatch' | 'ifNoneMatch'>

/** The versions of which the record must have one, and those of which it must have none. */
export function readConditions(request: FastifyRequest): Conditions {
  const match = readTags(request, 'If-Match')
  const noneMatch = readTags(request, 'If-None-Match')
  return {
    ...(match && { ifMatch: match.any ? ['*'] : match.strong }),
    ...(noneMatch && { ifNoneMatch: noneMatch.any ? ['*'] : noneMatch.all }),
  }
}

/** The same. Throws `precondition_required` where a request has to say which version it changes, or that there is none. */
export function requireConditions({ requireIfMatch }: RecordRoom, request: FastifyRequest): Conditions {
  const conditions = readConditions(request)
  if (!requireIfMatch || conditions.ifMatch || conditions.ifNoneMatch?.includes('*')) return conditions
  throw new StrongroomError(
    'precondition_required',
    'Send the ETag of the record as If-Match, so that nobody else’s change is lost; to make a record, send If-None-Match: *.',
  )
}

/** Refuses conditions of a request that is about no record of its own: nobody would look at them. */
export function refuseConditions({ headers }: FastifyRequest, instead: string): void {
  if (headers['if-match'] === undefined && headers['if-none-match'] === undefined) return
  throw new StrongroomError(
    'bad_request',
    `If-Match and If-None-Match are taken by requests for one record: PUT, PATCH and DELETE of its path, its restore and its revert. ${instead}`,
  )
}

/** Whether the client has this version of the record already. */
export function isKnown(request: FastifyRequest, version: string | undefined): boolean {
  const tags = readTags(request, 'If-None-Match')
  return tags !== undefined && version !== undefined && (tags.any || tags.all.includes(version))
}

function readTags(request: FastifyRequest, name: 'If-Match' | 'If-None-Match'): EntityTags | undefined {
  const value = request.headers[name === 'If-Match' ? 'if-match' : 'if-none-match']
  if (value === undefined) return undefined
  try {
    return parseEntityTags(name, value)
  } catch (error) {
    if (error instanceof QueryError) throw new StrongroomError('bad_request', error.message)
    throw error
  }
}
