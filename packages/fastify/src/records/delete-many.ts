import type { RouteHandlerMethod } from 'fastify'
import { writeRoute } from './answer.ts'
import { readBulkQuery, refuseUnversioned } from './bulk-query.ts'
import { type RecordRoom, writeOptions } from './record-room.ts'

/** `DELETE /users?role=guest&at_most=100`: every record that the filter holds for, all or none. Answers how many there were. */
export function deleteRecords(room: RecordRoom): RouteHandlerMethod {
  const { accessor } = room
  return writeRoute(room, async (request) => {
    const { where, atMost, dryRun, purge } = readBulkQuery(room, request, true)
    refuseUnversioned(room, request)
    const write = { ...(await writeOptions(room, request, dryRun)), atMost }
    const count = purge ? await accessor.purgeMany(where, write) : await accessor.deleteMany(where, write)
    return { status: 200, message: 'Deleted', body: { status: 'deleted', count } }
  })
}
