import type { RouteHandlerMethod } from 'fastify'
import { readFlags } from '../query.ts'
import { leftTag, writeRoute } from './answer.ts'
import { requireConditions } from './entity-tags.ts'
import { noRecord, pathId, type RecordRoom, wireRecord, writeOptions } from './record-room.ts'

/** `DELETE /users/{id}`: answers the record as it was left. */
export function deleteRecord(room: RecordRoom): RouteHandlerMethod {
  const { accessor } = room
  return writeRoute(room, async (request) => {
    const flags = readFlags(request, ['purge', 'erase', 'dry_run'])
    const write = await writeOptions(room, request, flags.dry_run)
    const match = requireConditions(room, request)
    const id = pathId(room, request)
    if (flags.erase) {
      if (!(await accessor.erase(id as number, { ...write, ...match }))) throw noRecord(room, id)
      return { status: 200, message: 'Erased', body: { status: 'erased', id: accessor.model.id.toJson(id) } }
    }
    const row = await accessor.deleteReturning(id, { ...write, ...match, purge: flags.purge })
    if (!row) throw noRecord(room, id)
    const record = wireRecord(room, row)
    const body = { status: 'deleted', id: record[accessor.model.id.name], record }
    return { status: 200, message: 'Deleted', ...leftTag(room, row, flags.purge), body }
  })
}
