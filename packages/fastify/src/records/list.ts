import type { RouteHandlerMethod } from 'fastify'
import { type RecordQuery, readRecordQuery } from '../query.ts'
import { exposeHeaders, sendJson } from '../reply.ts'
import { type Page, pageLinks } from './page-links.ts'
import { type RecordRoom, wireRecord } from './record-room.ts'

/** `GET /users`: a page of records as a bare array; what is to be said about it stands in headers. */
export function listRecords(room: RecordRoom): RouteHandlerMethod {
  return async (request, reply) => {
    const query = readRecordQuery(room.accessor.model, request, room.pageSize)
    const { rows, page } = await findPage(room, query)
    if (page.total !== undefined) {
      reply.header('x-total-count', String(page.total)).header('content-range', contentRange(room, page, page.total))
    }
    reply.header('link', pageLinks(request.originalUrl, page))
    exposeHeaders(reply, ['X-Total-Count', 'Content-Range', 'Link', 'X-Request-Id'])
    const records = rows.map((row) => wireRecord(room, row))
    return sendJson(reply, 200, records)
  }
}

async function findPage({ accessor }: RecordRoom, query: RecordQuery): Promise<{ rows: object[]; page: Page }> {
  const { where, orderBy, limit, offset, includeDeleted } = query
  // One record more than the page has tells whether there is a next one.
  const found = await accessor.find({ where, orderBy: orderBy as never, limit: limit + 1, offset, includeDeleted })
  const rows = found.slice(0, limit)
  const page = { limit, offset, size: rows.length, hasNext: found.length > limit }
  if (query.count === 'none') return { rows, page }
  const isLast = !page.hasNext && (rows.length > 0 || offset === 0)
  const total = isLast ? offset + rows.length : await accessor.count(where, { includeDeleted })
  return { rows, page: { ...page, total } }
}

function contentRange({ accessor }: RecordRoom, { offset, size }: Page, total: number): string {
  return `${accessor.component} ${size === 0 ? '*' : `${offset}-${offset + size - 1}`}/${total}`
}
