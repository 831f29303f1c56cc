import type { RouteHandlerMethod } from 'fastify'
import { readFlags } from '../query.ts'
import { sendJson } from '../reply.ts'
import { noRecord, pathId, type RecordRoom, wireRecord } from './record-room.ts'

/** `GET /users/{id}` */
export function getRecord(room: RecordRoom): RouteHandlerMethod {
  return async (request, reply) => {
    const flags = readFlags(request, ['include_deleted'])
    const id = pathId(room, request)
    const row = await room.accessor.get(id, { includeDeleted: flags.include_deleted })
    if (!row) throw noRecord(room, id)
    return sendJson(reply, 200, wireRecord(room, row))
  }
}
