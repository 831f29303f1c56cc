import type { ConditionalWriteOptions } from '@strongroom/core'
import type { RouteHandlerMethod } from 'fastify'
import { bodyOf } from '../body.ts'
import { readFlags } from '../query.ts'
import { recordAnswer, writeRoute } from './answer.ts'
import { requireConditions } from './entity-tags.ts'
import { isMerged, isObject, mergeIntoFields } from './merge-patch.ts'
import { changesOf, plainChangesOf } from './record-body.ts'
import { pathId, type RecordRoom, type Row, writeOptions } from './record-room.ts'

/** `PATCH /users/{id}`: a JSON Merge Patch. */
export function patchRecord(room: RecordRoom): RouteHandlerMethod {
  return writeRoute(room, async (request) => {
    const flags = readFlags(request, ['dry_run'])
    const write = await writeOptions(room, request, flags.dry_run)
    const match = requireConditions(room, request)
    const id = pathId(room, request)
    return recordAnswer(room, { status: 200, message: 'Updated' }, await performPatch(room, id, bodyOf(request), { ...write, ...match }))
  })
}

/** Changes a record by a merge patch, against the record as it stands. */
export function performPatch({ accessor }: RecordRoom, id: unknown, body: unknown, write: ConditionalWriteOptions): Promise<object> {
  const model = accessor.writableModel()
  const patched = (current: Row) => changesOf(model, current, mergeIntoFields(model, current, body))
  const merges = isObject(body) && Object.entries(body).some(([name, value]) => isMerged(model, name, value))
  return accessor.update(id, (merges ? undefined : plainChangesOf(model, body)) ?? ((current) => patched(current as Row)), write)
}
