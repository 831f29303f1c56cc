import type { RouteHandlerMethod } from 'fastify'
import { bodyOf } from '../body.ts'
import { writeRoute } from './answer.ts'
import { readBulkQuery, refuseUnversioned } from './bulk-query.ts'
import { mergeIntoFields } from './merge-patch.ts'
import { changesOf, checkSharedPatch } from './record-body.ts'
import { modelToWrite, type RecordRoom, type Row, wireRecord, writeOptions } from './record-room.ts'

/** `PATCH /users?role=guest&at_most=100`: the same JSON Merge Patch for every record that the filter holds for, all or none. */
export function patchRecords(room: RecordRoom): RouteHandlerMethod {
  const { accessor } = room
  return writeRoute(room, async (request) => {
    const { where, atMost, dryRun } = readBulkQuery(room, request, false)
    refuseUnversioned(room, request)
    const write = await writeOptions(room, request, dryRun)
    const body = bodyOf(request)
    const model = modelToWrite(room, 'update')
    checkSharedPatch(model, body)
    const patch = (current: object) => changesOf(model, current as Row, mergeIntoFields(model, current as Row, body))
    const rows = await accessor.updateMany(where, patch, { ...write, atMost })
    return { status: 200, message: 'Updated', body: rows.map((row) => wireRecord(room, row)) }
  })
}
