import { mostIncludedRecords } from '@strongroom/contract'
import type { RouteHandlerMethod } from 'fastify'
import { readInstant } from '../instant.ts'
import { readGetQuery } from '../query.ts'
import { answerJson, exposeHeaders } from '../reply.ts'
import { isKnown, sendEntityTag } from './entity-tags.ts'
import { noRecord, pathId, type RecordRoom, type Row, wireRow } from './record-room.ts'

/** `GET /users/{id}` */
export function getRecord(room: RecordRoom): RouteHandlerMethod {
  return async (request, reply) => {
    const { includeDeleted, fields, include, ...query } = readGetQuery(room, request)
    const time = readInstant('at', query.at)
    const id = pathId(room, request)
    const included = Object.fromEntries(include.map((name) => [name, true]))
    // Field names that were checked against the model, whose type is not known here.
    const selection = { fields: fields as never, include: included, includeAtMost: mostIncludedRecords }
    const options = { includeDeleted, ...selection }
    const row = await (time ? room.accessor.asOf(time).get(id, options) : room.accessor.get(id, options))
    if (!row) throw noRecord(room, id)
    // A bad If-None-Match is refused before anything is said of the record.
    const known = isKnown(request, row)
    sendEntityTag(reply, row)
    exposeHeaders(reply, ['ETag', 'X-Request-Id'])
    if (known) return reply.code(304).send()
    return answerJson(reply, 200, wireRow(room, include, row as Row), { message: 'Record found' })
  }
}
