import { entityTag } from '@strongroom/contract'
import { versionOf } from '@strongroom/core'
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { actorOf } from '../actor.ts'
import { idempotencyKey, onceKey } from '../once-key.ts'
import { answerJson, exposeHeaders } from '../reply.ts'
import { type RecordRoom, recordPath, wireRecord } from './record-room.ts'
import { type KeptAnswer, readableNow, recheck, shownBy } from './replay.ts'

/** What a write answers, before it is sent: it can be kept for a request that comes again. */
export interface Answer {
  readonly status: number
  /** What an envelope says. */
  readonly message: string
  readonly location?: string
  readonly etag?: string
  readonly body: unknown
}

/** Answers one record. After a dry run it has no version: nobody will find it so. */
export function recordAnswer(room: RecordRoom, { status, message }: Pick<Answer, 'status' | 'message'>, row: object): Answer {
  return { status, message, ...tagOf(row), body: wireRecord(room, row) }
}

/** The ETag of a record, where its version is known. */
export function tagOf(row: object): Pick<Answer, 'etag'> {
  const version = versionOf(row)
  return version === undefined ? {} : { etag: entityTag(version) }
}

/** The ETag of a record that was deleted: it has one where it is only marked, and can be restored. */
export function leftTag({ accessor }: RecordRoom, row: object, purge: boolean): Pick<Answer, 'etag'> {
  return accessor.model.deletedAt && !purge ? tagOf(row) : {}
}

/** Answers a record that was made. After a dry run there is no place to point to. */
export function createdAnswer(room: RecordRoom, row: object, dryRun: boolean): Answer {
  const answer = recordAnswer(room, { status: 201, message: 'Created' }, row)
  return dryRun ? answer : { ...answer, location: recordPath(room, row) }
}

/**
 * Makes a route of what answers a request. With an `Idempotency-Key` the request is done once, and answered alike when it comes again, as
 * long as the caller may still do and see what it was answered.
 * @param rooms whose records an answer may show; the room's own unless said
 * @param prepare what a request with a key needs before it becomes a transaction, in which it could not be waited for
 */
export function writeRoute(
  room: RecordRoom,
  produce: (request: FastifyRequest) => Promise<Answer>,
  {
    rooms = [room],
    prepare,
  }: { readonly rooms?: readonly RecordRoom[]; readonly prepare?: (request: FastifyRequest) => Promise<void> } = {},
): RouteHandlerMethod {
  return async (request, reply) => {
    const key = idempotencyKey(request)
    if (key === undefined) return writeAnswer(reply, await produce(request))
    await prepare?.(request)
    const actor = await actorOf(request, room.actor)
    const work = async (): Promise<KeptAnswer> => {
      const answer = await produce(request)
      return { answer, readable: readableNow(shownBy(request, answer, rooms)) }
    }
    const { answer: kept, replayed } = await room.accessor.once({ ...onceKey(request, key, actor), actor }, work)
    if (!replayed) return writeAnswer(reply, kept.answer)
    await recheck(kept, shownBy(request, kept.answer, rooms))
    return writeAnswer(reply.header('idempotent-replayed', 'true'), kept.answer)
  }
}

function writeAnswer(reply: FastifyReply, { status, message, location, etag, body }: Answer): string {
  if (location !== undefined) reply.header('location', location)
  if (etag !== undefined) reply.header('etag', etag)
  exposeHeaders(reply, `${location === undefined ? '' : 'Location, '}${etag === undefined ? '' : 'ETag, '}X-Request-Id`)
  return answerJson(reply, status, body, { message })
}
