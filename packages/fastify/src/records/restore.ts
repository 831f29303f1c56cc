import type { RouteHandlerMethod } from 'fastify'
import { readFlags } from '../query.ts'
import { writeRoute } from './answer.ts'
import { readConditions } from './entity-tags.ts'
import { noRecord, pathId, type RecordRoom, writeOptions } from './record-room.ts'

/** `POST /users/{id}/restore` */
export function restoreRecord(room: RecordRoom): RouteHandlerMethod {
  const { accessor } = room
  return writeRoute(room, async (request) => {
    const flags = readFlags(request, ['dry_run'])
    const write = await writeOptions(room, request, flags.dry_run)
    // A tag is taken and never asked for: who restores a record may not have read it.
    const match = readConditions(request)
    const id = pathId(room, request)
    const restored = await accessor.restore(id, { ...write, ...match })
    if (!restored && !(await accessor.get(id, { includeDeleted: true }))) throw noRecord(room, id)
    return { status: 200, message: restored ? 'Restored' : 'Was not deleted', body: { status: 'ok', restored } }
  })
}
