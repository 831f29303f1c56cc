import { defaultHistoryEntries, historyParameters, mostHistoryEntries, readParameters } from '@strongroom/contract'
import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import { type EntryPlace, readNumber, sendEntries } from '../entries.ts'
import { rawQuery, readQuery } from '../query.ts'
import { noRecord, pathId, type RecordRoom } from './record-room.ts'

/** `GET /users/{id}/history`: the audit entries about a record, newest first. */
export function recordHistory(room: RecordRoom): RouteHandlerMethod {
  return async (request, reply) => {
    const place = readPlace(request)
    const id = pathId(room, request)
    const page = await room.accessor.historyPage(id, place)
    if (!page) throw noRecord(room, id)
    return sendEntries(reply, place, page.entries, page.next)
  }
}

const names = historyParameters.map(({ name }) => name)

function readPlace(request: FastifyRequest): EntryPlace {
  const given = readQuery(() => readParameters(rawQuery(request), names))
  return {
    limit: readNumber('limit', given.get('limit'), 1, mostHistoryEntries, defaultHistoryEntries),
    offset: readNumber('offset', given.get('offset'), 0, Number.MAX_SAFE_INTEGER, 0),
    after: given.get('after'),
  }
}
