import { type EntityTags, entityTag, parseEntityTags, QueryError } from '@strongroom/contract'
import { StrongroomError, versionOf } from '@strongroom/core'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RecordRoom } from './record-room.ts'

/** Says which version of its record an answer shows, where that is known. */
export function sendEntityTag(reply: FastifyReply, row: object): void {
  const version = versionOf(row)
  if (version !== undefined) reply.header('etag', entityTag(version))
}

/** The versions of which the record must have one. Throws `precondition_required` where a request has to say them. */
export function readIfMatch(room: RecordRoom, request: FastifyRequest): { ifMatch?: readonly string[] } {
  const tags = readTags(request, 'If-Match')
  if (tags) return { ifMatch: tags.any ? ['*'] : tags.strong }
  if (!room.requireIfMatch || readTags(request, 'If-None-Match')?.any) return {}
  throw new StrongroomError(
    'precondition_required',
    'Send the ETag of the record as If-Match, so that nobody else’s change is lost; to make a record, send If-None-Match: *.',
  )
}

/** Whether the request is for a record that is not there yet (`If-None-Match: *`). */
export function wantsNoRecord(request: FastifyRequest): boolean {
  return readTags(request, 'If-None-Match')?.any ?? false
}

/** Whether the client has this version of the record already. */
export function isKnown(request: FastifyRequest, row: object): boolean {
  const tags = readTags(request, 'If-None-Match')
  const version = versionOf(row)
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
