import type { RouteHandlerMethod } from 'fastify'
import { bodyOf } from '../body.ts'
import { readFlags } from '../query.ts'
import { createdAnswer, writeRoute } from './answer.ts'
import { refuseConditions } from './entity-tags.ts'
import { newRecord, newRecords } from './record-body.ts'
import { modelToWrite, type RecordRoom, wireRecord, writeOptions } from './record-room.ts'

/** `POST /users`: an object inserts one record; an array inserts all or none. */
export function createRecord(room: RecordRoom): RouteHandlerMethod {
  const { accessor } = room
  return writeRoute(room, async (request) => {
    const flags = readFlags(request, ['dry_run'])
    const write = await writeOptions(room, request, flags.dry_run)
    refuseConditions(request, 'Leave them out here, or PUT the record at an id of your own with If-None-Match: *.')
    const model = modelToWrite(room, 'create')
    const body = bodyOf(request)
    if (Array.isArray(body)) {
      const rows = await accessor.insertMany(newRecords(model, body), write)
      return { status: 201, message: 'Created', body: rows.map((row) => wireRecord(room, row)) }
    }
    return createdAnswer(room, await accessor.insert(newRecord(model, body), write), flags.dry_run)
  })
}
