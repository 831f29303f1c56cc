import { ValidationError } from '@strongroom/core'
import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import { bodyOf } from '../body.ts'
import { instantOf } from '../instant.ts'
import { readFlags } from '../query.ts'
import { type Answer, recordAnswer, writeRoute } from './answer.ts'
import { requireConditions } from './entity-tags.ts'
import { isObject } from './merge-patch.ts'
import { pathId, type RecordRoom, writeOptions } from './record-room.ts'

/** `POST /users/{id}/revert`: makes a record what it was. */
export function revertRecord(room: RecordRoom): RouteHandlerMethod {
  const revert = async (request: FastifyRequest): Promise<Answer> => {
    const flags = readFlags(request, ['dry_run'])
    const write = await writeOptions(room, request, flags.dry_run)
    const match = requireConditions(room, request)
    const id = pathId(room, request)
    const to = readTarget(request)
    return recordAnswer(room, { status: 200, message: 'Reverted' }, await room.accessor.revert(id, { to, ...write, ...match }))
  }
  return writeRoute(room, revert, { prepare: (request) => settlePast(room, request) })
}

/** What has just happened is sealed by being looked at. */
async function settlePast(room: RecordRoom, request: FastifyRequest): Promise<void> {
  const time = isObject(request.body) ? instantOf(request.body['to']) : undefined
  if (time && time.getTime() <= Date.now()) await room.accessor.asOf(time).get(pathId(room, request))
}

/** Where the record shall go back to: an instant, or the id of one of its audit entries. */
function readTarget(request: FastifyRequest): Date | number {
  const body = bodyOf(request)
  if (!isObject(body))
    throw new ValidationError('Say where it shall go back to: { "to": "2026-01-31T12:00:00Z" }, or the id of an audit entry.')
  const { to, ...others } = body
  const issues = Object.keys(others).map((path) => ({ path, message: 'is no part of a revert; there is to' }))
  const time = instantOf(to)
  const isEntry = typeof to === 'number' && Number.isSafeInteger(to) && to > 0
  if (!isEntry && !time) issues.push({ path: 'to', message: 'must be an instant as in RFC 3339, or the id of an audit entry' })
  if (issues.length > 0) throw new ValidationError(issues)
  // One of both was found.
  return isEntry ? to : (time as Date)
}
