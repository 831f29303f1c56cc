import { createHash } from 'node:crypto'
import { entityTag, readBoolean, splitQuery } from '@strongroom/contract'
import { StrongroomError, versionOf } from '@strongroom/core'
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { actorOf } from '../actor.ts'
import { rawQuery, readQuery } from '../query.ts'
import { exposeHeaders, sendJson } from '../reply.ts'
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
    if (key === undefined) return sendAnswer(reply, await produce(request))
    await prepare?.(request)
    const actor = await actorOf(request, room.actor)
    const [path = ''] = request.originalUrl.split('?', 1)
    const scope = [actor, request.method, path.replace(/\/$/, '')]
    const work = async (): Promise<KeptAnswer> => {
      const answer = await produce(request)
      return { answer, readable: readableNow(shownBy(request, answer, rooms)) }
    }
    const { answer: kept, replayed } = await room.accessor.once({ key, scope, content: contentOf(request), actor }, work)
    if (!replayed) return sendAnswer(reply, kept.answer)
    await recheck(kept, shownBy(request, kept.answer, rooms))
    return sendAnswer(reply.header('idempotent-replayed', 'true'), kept.answer)
  }
}

function sendAnswer(reply: FastifyReply, { status, message, location, etag, body }: Answer): FastifyReply {
  if (location !== undefined) reply.header('location', location)
  if (etag !== undefined) reply.header('etag', etag)
  exposeHeaders(reply, [...(location === undefined ? [] : ['Location']), ...(etag === undefined ? [] : ['ETag']), 'X-Request-Id'])
  return sendJson(reply, status, body, { message })
}

/** The key of a request that shall be done once. A dry run leaves nothing, so there is nothing to repeat. */
function idempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new StrongroomError('bad_request', 'Idempotency-Key is 1 to 255 characters of printable ASCII, e.g. a UUID.')
  }
  const pairs = readQuery(() => splitQuery(rawQuery(request)))
  return pairs.some(({ name, value }) => name === 'dry_run' && readBoolean(value) !== false) ? undefined : key
}

/** JSON writes null for a number that is too large for it: such a body is not the same as one with null. */
function tellApart(_name: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? { number: String(value) } : value
}

/** What is asked for: the same key with another content is a mistake. */
function contentOf(request: FastifyRequest): string {
  const { 'if-match': match = null, 'if-none-match': noneMatch = null } = request.headers
  return createHash('sha256')
    .update(JSON.stringify([rawQuery(request), match, noneMatch, request.body ?? null], tellApart))
    .digest('base64url')
}
