import { type AnyModel, type ModelAccessor, NotFoundError, parseId, recordToJson, type WriteOptions } from '@strongroom/core'
import type { FastifyRequest } from 'fastify'
import { type ActorOf, actorOf } from '../actor.ts'
import type { DialectName } from '../dialects/translate.ts'
import type { PageSize } from '../query.ts'
import { requestNames } from '../request-id.ts'

/** What the routes of one component stand on. */
export interface RecordRoom {
  readonly accessor: ModelAccessor<AnyModel>
  readonly pageSize: PageSize
  /** Ways to write a query beside ours. */
  readonly dialects: readonly DialectName[]
  /** The host's way to name whoever writes; the `X-User` header where it has none. */
  readonly actor: ActorOf | undefined
  /** Whoever changes a record has to say which version of it. */
  readonly requireIfMatch: boolean
  /** The path of the collection, without a trailing slash. */
  readonly path: string
}

/** A record inside: a plain object in code form. */
export type Row = Readonly<Record<string, unknown>>

/** The id in a request's path. Throws NotFoundError for one of the wrong shape: it names no record. */
export function pathId(room: RecordRoom, request: FastifyRequest): unknown {
  // The route's path has the parameter.
  const { id: text } = request.params as { readonly id: string }
  if (text === '') throw new NotFoundError('This path ends where the id of a record should be.')
  return idOf(room, text)
}

/** An id as text. Throws NotFoundError for one of the wrong shape. */
export function idOf(room: RecordRoom, text: string): unknown {
  const id = parseId(room.accessor.model, text)
  if (id === undefined) throw noRecord(room, text)
  return id
}

/** The same words for every record that is not there, or not for this caller. */
export function noRecord(room: RecordRoom, id: unknown): NotFoundError {
  return new NotFoundError(`${room.accessor.component} has no record ${String(id).slice(0, 100)}.`)
}

/** Who writes, under which request, and whether for good. */
export async function writeOptions(room: RecordRoom, request: FastifyRequest, dryRun: boolean): Promise<WriteOptions> {
  return { actor: await actorOf(request, room.actor), ...requestNames(request), dryRun }
}

/** The model as the caller may write it. Throws ForbiddenError for one who may not do this at all: then nothing is said of the body. */
export function modelToWrite({ accessor }: RecordRoom, operation: 'create' | 'update'): AnyModel {
  accessor.requireAccess(operation)
  return accessor.writableModel()
}

/** A record as it is answered, without its secrets. */
export function wireRecord(room: RecordRoom, row: object): Record<string, unknown> {
  // Rows are plain objects of fields; their type depends on a model that is not known here.
  return wire(room.accessor.model, row as Row)
}

/** A record as it is answered, with what was read along. */
export function wireRow(room: RecordRoom, include: readonly string[], row: Row): Record<string, unknown> {
  const record = wireRecord(room, row)
  if (include.length === 0) return record
  for (const { name, model } of room.accessor.inclusions()) {
    if (!include.includes(name)) continue
    const along = row[name]
    record[name] = Array.isArray(along) ? along.map((item: Row) => wire(model, item)) : along === null ? null : wire(model, along as Row)
  }
  return record
}

function wire(model: AnyModel, row: Row): Record<string, unknown> {
  return recordToJson(model, row, { secrets: 'omit' })
}

/** The path of a record, for `Location`. */
export function recordPath(room: RecordRoom, row: object): string {
  const { id } = room.accessor.model
  // Rows are plain objects of fields, and the id is never null.
  return `${room.path}/${encodeURIComponent(String(id.toJson((row as Row)[id.name])))}`
}
