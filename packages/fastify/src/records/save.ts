import { ConflictError, NotFoundError, type WriteOptions } from '@strongroom/core'
import type { RouteHandlerMethod } from 'fastify'
import { bodyOf } from '../body.ts'
import { readFlags } from '../query.ts'
import { sendJson } from '../reply.ts'
import { answerCreated } from './create.ts'
import { changesOf, newRecordAt, replacementOf } from './record-body.ts'
import { pathId, type RecordRoom, type Row, wireRecord, writeOptions } from './record-room.ts'

/** A save as it was asked for. */
interface Save {
  readonly id: unknown
  readonly body: unknown
  readonly replace: boolean
  readonly write: WriteOptions
}

/** `PUT /users/{id}`: changes the given fields and keeps the rest; makes the record where the client chooses ids. */
export function saveRecord(room: RecordRoom): RouteHandlerMethod {
  return async (request, reply) => {
    const flags = readFlags(request, ['replace', 'dry_run'])
    const write = await writeOptions(room, request, flags.dry_run)
    const save: Save = { id: pathId(room, request), body: bodyOf(request), replace: flags.replace, write }
    const changed = await changeOrExplain(room, save)
    if (changed) return sendJson(reply, 200, wireRecord(room, changed))
    const made = await insertUnlessRaced(room, save)
    if (made) return answerCreated(room, reply, made, flags.dry_run)
    return sendJson(reply, 200, wireRecord(room, await change(room, save)))
  }
}

function change({ accessor }: RecordRoom, { id, body, replace, write }: Save): Promise<object> {
  const { model } = accessor
  if (replace) return accessor.replace(id, (current) => replacementOf(model, current as Row, body), write)
  return accessor.update(id, (current) => changesOf(model, current as Row, body), write)
}

/** The changed record; undefined when there is none at this id and the client may make one. */
async function changeOrExplain(room: RecordRoom, save: Save): Promise<object | undefined> {
  try {
    return await change(room, save)
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error
    const { accessor } = room
    const standing = await accessor.get(save.id, { includeDeleted: true })
    const { deletedAt } = accessor.model
    if (standing && deletedAt && (standing as Row)[deletedAt.name] !== null) {
      throw new ConflictError('state_conflict', `The record ${String(save.id)} of ${accessor.component} is deleted. Restore it first.`)
    }
    // Another request made it in between, or a hook found something else missing, and will again.
    if (standing) return change(room, save)
    if (accessor.model.idType === 'integer') throw error
    return undefined
  }
}

/** The record that was made; undefined when another request made it first. */
async function insertUnlessRaced({ accessor }: RecordRoom, { id, body, write }: Save): Promise<object | undefined> {
  try {
    return await accessor.insert(newRecordAt(accessor.model, id, body), write)
  } catch (error) {
    if (error instanceof ConflictError && error.code === 'unique_conflict' && error.fields.includes(accessor.model.id.name))
      return undefined
    throw error
  }
}
