import { mostIncludedRecords, type Pagination } from '@strongroom/contract'
import type { AnyModel, JsonPage, PageOptions } from '@strongroom/core'
import type { FastifyReply, RouteHandlerMethod } from 'fastify'
import { readInstant } from '../instant.ts'
import { type RecordQuery, readRecordQuery } from '../query.ts'
import { answerText, exposeHeaders } from '../reply.ts'
import { leadsTo, type PagePlace, pageLinks } from './page-links.ts'
import { type RecordRoom, wireRow } from './record-room.ts'

/** `GET /users`: a page of records as a bare array; what is to be said about it stands in headers. */
export function listRecords(room: RecordRoom): RouteHandlerMethod {
  return async (request, reply) => {
    const query = readRecordQuery(room, request)
    const page = await findPage(room, query)
    if (page.total !== undefined) {
      reply.header('x-total-count', String(page.total)).header('content-range', contentRange(room, query, page.size, page.total))
    }
    const [path] = request.originalUrl.split('?', 1)
    const links = pageLinks(`${path}?${query.raw}`, query, page)
    reply.header('link', links)
    exposeHeaders(reply, 'X-Total-Count, Content-Range, Link, X-Request-Id')
    nameCursors(reply, links, page)
    return answerText(reply, 200, page.text, { message: 'Records found', pagination: paginationOf(query, page) })
  }
}

/** Where a link to a page beside this one has found no room, its cursor has: this page would look like the last one. */
function nameCursors(reply: FastifyReply, links: string, { next, previous }: PagePlace): void {
  const hasNext = next === undefined || leadsTo(links, 'next')
  const hasPrevious = previous === undefined || leadsTo(links, 'prev')
  if (hasNext && hasPrevious) return
  if (!hasNext) reply.header('x-next-cursor', next)
  if (!hasPrevious) reply.header('x-previous-cursor', previous)
  exposeHeaders(reply, 'X-Next-Cursor, X-Previous-Cursor')
}

/** A page whose records are text. */
function findPage(room: RecordRoom, query: RecordQuery): Promise<JsonPage> {
  const { accessor } = room
  const { where, orderBy, limit, offset, after, before, includeDeleted, count, fields, include } = query
  const time = readInstant('at', query.at)
  const options = {
    where,
    // Field names that were checked against the model, whose type is not known here.
    orderBy: orderBy as never,
    fields: fields as never,
    limit,
    includeDeleted,
    count,
    ...(offset > 0 && { offset }),
    ...(after !== undefined && { after }),
    ...(before !== undefined && { before }),
  }
  return !time && include.length === 0 ? accessor.pageJson(options) : findAlong(room, include, options, time)
}

/** The page as it was, or with other records. */
async function findAlong(
  room: RecordRoom,
  include: readonly string[],
  options: PageOptions<AnyModel>,
  time: Date | undefined,
): Promise<JsonPage> {
  const { accessor } = room
  const along = { ...options, include: Object.fromEntries(include.map((name) => [name, true])), includeAtMost: mostIncludedRecords }
  const { rows, ...page } = await (time ? accessor.asOf(time).page(along) : accessor.page(along))
  return { ...page, text: JSON.stringify(rows.map((row) => wireRow(room, include, row))), size: rows.length }
}

function paginationOf({ limit, offset, after, before }: RecordQuery, { total, next, previous }: JsonPage): Pagination {
  const placed = after === undefined && before === undefined
  return { total: total ?? null, limit, offset: placed ? offset : null, next: next ?? null, previous: previous ?? null }
}

/** The place of a page is known where it starts at an offset; after a cursor only the total is. */
function contentRange({ accessor }: RecordRoom, { offset, after, before }: RecordQuery, size: number, total: number): string {
  const placed = size > 0 && after === undefined && before === undefined
  return `${accessor.component} ${placed ? `${offset}-${offset + size - 1}` : '*'}/${total}`
}
