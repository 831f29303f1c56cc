import { diffParameters, readParameters } from '@strongroom/contract'
import { InvalidQueryError } from '@strongroom/core'
import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import { readInstant } from '../instant.ts'
import { rawQuery, readQuery } from '../query.ts'
import { answerJson } from '../reply.ts'
import { noRecord, pathId, type RecordRoom, wireRecord } from './record-room.ts'

/** `GET /users/{id}/diff`: the fields of a record that differ between two moments. */
export function diffRecord(room: RecordRoom): RouteHandlerMethod {
  return async (request, reply) => {
    const moments = readMoments(request)
    const id = pathId(room, request)
    const diff = await room.accessor.diff(id, moments)
    if (!diff) throw noRecord(room, id)
    const from = diff.from && wireRecord(room, diff.from)
    const to = diff.to && wireRecord(room, diff.to)
    const shown = { ...from, ...to }
    // A secret that comes or goes with its record is not told of.
    const fields = diff.changes.map(({ field }) => field).filter((field) => Object.hasOwn(shown, field))
    const changes = fields.map((field) => ({ field, from: from?.[field] ?? null, to: to?.[field] ?? null }))
    return answerJson(reply, 200, { from, to, changes }, { message: 'Difference found' })
  }
}

const names = diffParameters.map(({ name }) => name)

function readMoments(request: FastifyRequest): { readonly from: Date; readonly to: Date | undefined } {
  const given = readQuery(() => readParameters(rawQuery(request), names))
  const from = readInstant('from', given.get('from'))
  if (!from) throw new InvalidQueryError('Say from which instant on: ?from=2026-01-31T12:00:00Z')
  return { from, to: readInstant('to', given.get('to')) }
}
