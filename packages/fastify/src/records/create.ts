import type { FastifyReply, RouteHandlerMethod } from 'fastify'
import { bodyOf } from '../body.ts'
import { readFlags } from '../query.ts'
import { exposeHeaders, sendJson } from '../reply.ts'
import { sendEntityTag } from './entity-tags.ts'
import { newRecord, newRecords } from './record-body.ts'
import { type RecordRoom, recordPath, wireRecord, writeOptions } from './record-room.ts'

/** `POST /users`: an object inserts one record; an array inserts all or none. */
export function createRecord(room: RecordRoom): RouteHandlerMethod {
  const { accessor } = room
  return async (request, reply) => {
    const flags = readFlags(request, ['dry_run'])
    const write = await writeOptions(room, request, flags.dry_run)
    const body = bodyOf(request)
    if (Array.isArray(body)) {
      const rows = await accessor.insertMany(newRecords(accessor.model, body), write)
      return sendJson(
        reply,
        201,
        rows.map((row) => wireRecord(room, row)),
      )
    }
    return answerCreated(room, reply, await accessor.insert(newRecord(accessor.model, body), write), flags.dry_run)
  }
}

/** Answers a record that was made. After a dry run there is no place to point to. */
export function answerCreated(room: RecordRoom, reply: FastifyReply, row: object, dryRun: boolean): FastifyReply {
  if (!dryRun) reply.header('location', recordPath(room, row))
  sendEntityTag(reply, row)
  exposeHeaders(reply, ['Location', 'ETag', 'X-Request-Id'])
  return sendJson(reply, 201, wireRecord(room, row))
}
