import { mostIncludedRecords } from '@strongroom/contract'
import { type JsonRecord, versionOf } from '@strongroom/core'
import type { RouteHandlerMethod } from 'fastify'
import { readInstant } from '../instant.ts'
import { type GetQuery, readGetQuery } from '../query.ts'
import { answerText, exposeHeaders } from '../reply.ts'
import { isKnown, sendEntityTag } from './entity-tags.ts'
import { noRecord, pathId, type RecordRoom, type Row, wireRow } from './record-room.ts'

/** `GET /users/{id}` */
export function getRecord(room: RecordRoom): RouteHandlerMethod {
  return async (request, reply) => {
    const query = readGetQuery(room, request)
    const time = readInstant('at', query.at)
    const id = pathId(room, request)
    const { includeDeleted, fields, include } = query
    const whole = !time && fields === undefined && include.length === 0
    const found = await (whole ? room.accessor.getJson(id, { includeDeleted }) : findPart(room, id, query, time))
    if (!found) throw noRecord(room, id)
    // A bad If-None-Match is refused before anything is said of the record.
    const known = isKnown(request, found.version)
    sendEntityTag(reply, found.version)
    exposeHeaders(reply, 'ETag, X-Request-Id')
    if (known) return reply.code(304).send()
    return answerText(reply, 200, found.text, { message: 'Record found' })
  }
}

/** The record as it was, or in part, or with others: such an answer may have no version. */
async function findPart(
  room: RecordRoom,
  id: unknown,
  { includeDeleted, fields, include }: GetQuery,
  time: Date | undefined,
): Promise<(Partial<JsonRecord> & Pick<JsonRecord, 'text'>) | null> {
  const included = Object.fromEntries(include.map((name) => [name, true]))
  // Field names that were checked against the model, whose type is not known here.
  const options = { includeDeleted, fields: fields as never, include: included, includeAtMost: mostIncludedRecords }
  const row = await (time ? room.accessor.asOf(time).get(id, options) : room.accessor.get(id, options))
  if (!row) return null
  const version = versionOf(row)
  return { text: JSON.stringify(wireRow(room, include, row as Row)), ...(version !== undefined && { version }) }
}
