import { type ConditionalWriteOptions, ConflictError, NotFoundError, PreconditionFailedError } from '@strongroom/core'
import type { RouteHandlerMethod } from 'fastify'
import { bodyOf } from '../body.ts'
import { readFlags } from '../query.ts'
import { createdAnswer, recordAnswer, writeRoute } from './answer.ts'
import { requireConditions } from './entity-tags.ts'
import { changesOf, newRecordAt, plainChangesOf, replacementOf } from './record-body.ts'
import { modelToWrite, noRecord, pathId, type RecordRoom, type Row, writeOptions } from './record-room.ts'

/** A save as it was asked for. */
export interface Save {
  readonly id: unknown
  readonly body: unknown
  readonly replace: boolean
  readonly write: ConditionalWriteOptions
  /** Makes a record, and changes none. */
  readonly onlyNew: boolean
}

/** `PUT /users/{id}`: changes the given fields and keeps the rest; makes the record where the client chooses ids. */
export function saveRecord(room: RecordRoom): RouteHandlerMethod {
  return writeRoute(room, async (request) => {
    const flags = readFlags(request, ['replace', 'dry_run'])
    const conditions = requireConditions(room, request)
    const write = { ...(await writeOptions(room, request, flags.dry_run)), ...conditions }
    const onlyNew = conditions.ifNoneMatch?.includes('*') ?? false
    const save: Save = { id: pathId(room, request), body: bodyOf(request), replace: flags.replace, write, onlyNew }
    const { row, created } = await performSave(room, save)
    return created ? createdAnswer(room, row, flags.dry_run) : recordAnswer(room, { status: 200, message: 'Saved' }, row)
  })
}

/** Saves a record; tells whether it was made. */
export async function performSave(room: RecordRoom, save: Save): Promise<{ readonly row: object; readonly created: boolean }> {
  const changed = save.onlyNew ? undefined : await changeOrExplain(room, save)
  if (changed) return { row: changed, created: false }
  if (save.onlyNew) await refuseStanding(room, save)
  const made = await insertUnlessRaced(room, save)
  if (made) return { row: made, created: true }
  if (save.onlyNew) throw alreadyThere(room)
  return { row: await change(room, save), created: false }
}

/** `If-None-Match: *` makes a record, and changes none. */
async function refuseStanding(room: RecordRoom, { id, write }: Save): Promise<void> {
  const { accessor } = room
  const standing = await accessor.get(id, { includeDeleted: true })
  if (standing && isDeleted(room, standing)) throw restoreFirst(room, id)
  if (standing) throw alreadyThere(room)
  if (accessor.model.idType === 'integer') throw noRecord(room, id)
  if (write.ifMatch !== undefined) throw notThere(room)
}

function isDeleted({ accessor }: RecordRoom, row: object): boolean {
  const { deletedAt } = accessor.model
  // Rows are plain objects of fields.
  return deletedAt !== undefined && (row as Row)[deletedAt.name] !== null
}

function restoreFirst({ accessor }: RecordRoom, id: unknown): ConflictError {
  return new ConflictError('state_conflict', `The record ${String(id)} of ${accessor.component} is deleted. Restore it first.`)
}

function notThere({ accessor }: RecordRoom): PreconditionFailedError {
  return new PreconditionFailedError(`${accessor.component} has no record with this id.`)
}

function alreadyThere({ accessor }: RecordRoom): PreconditionFailedError {
  return new PreconditionFailedError(`${accessor.component} has a record with this id already.`)
}

function change({ accessor }: RecordRoom, { id, body, replace, write }: Save): Promise<object> {
  const model = accessor.writableModel()
  if (replace) return accessor.replace(id, (current) => replacementOf(model, current as Row, body), write)
  return accessor.update(id, plainChangesOf(model, body) ?? ((current) => changesOf(model, current as Row, body)), write)
}

/** The changed record; undefined when there is none at this id and the client may make one. */
async function changeOrExplain(room: RecordRoom, save: Save): Promise<object | undefined> {
  try {
    return await change(room, save)
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error
    const { accessor } = room
    const standing = await accessor.get(save.id, { includeDeleted: true })
    if (standing && isDeleted(room, standing)) throw restoreFirst(room, save.id)
    // Another request made it in between, or a hook found something else missing, and will again.
    if (standing) return change(room, save)
    if (accessor.model.idType === 'integer') throw error
    if (save.write.ifMatch !== undefined) throw notThere(room)
    return undefined
  }
}

/** The record that was made; undefined when another request made it first. */
async function insertUnlessRaced(room: RecordRoom, { id, body, write }: Save): Promise<object | undefined> {
  const { accessor } = room
  try {
    return await accessor.insert(newRecordAt(modelToWrite(room, 'create'), id, body), write)
  } catch (error) {
    if (error instanceof ConflictError && error.code === 'unique_conflict' && error.fields.includes(accessor.model.id.name))
      return undefined
    throw error
  }
}
