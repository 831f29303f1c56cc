import { ValidationError } from '@strongroom/core'
import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import { bodyOf } from '../body.ts'
import { instantOf } from '../instant.ts'
import { readFlags } from '../query.ts'
import { recordAnswer, writeRoute } from './answer.ts'
import { requireConditions } from './entity-tags.ts'
import { isObject } from './merge-patch.ts'
import { pathId, type RecordRoom, writeOptions } from './record-room.ts'

/** `POST /users/{id}/revert`: makes a record what it was. */
export function revertRecord(room: RecordRoom): RouteHandlerMethod {
  return writeRoute(room, async (request) => {
    const flags = readFlags(request, ['dry_run'])
    const write = await writeOptions(room, request, flags.dry_run)
    const match = requireConditions(room, request)
    const id = pathId(room, request)
    const to = readTarget(request)
    return recordAnswer(room, { status: 200, message: 'Reverted' }, await room.accessor.revert(id, { to, ...write, ...match }))
  })
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
