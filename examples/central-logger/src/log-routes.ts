import {
  type InsertOf,
  InvalidQueryError,
  NotFoundError,
  recordFromJson,
  recordToJson,
  ValidationError,
  type Where,
} from '@strongroom/core'
import type { OwnRoutes } from '@strongroom/fastify'
import { mountDashboard } from './dashboard.ts'
import { describeLogRoutes } from './describe-routes.ts'
import { Log, logs } from './models.ts'
import { countByCategory, countOverTime, overview } from './overview.ts'

/** Records in one request. */
export const mostRecords = 1000
const mostOnPage = 200

/** The routes under `/api/v1`, in the form that services which ship logs have long had. */
export const logRoutes: OwnRoutes = {
  mount: (scope) => {
    scope.post('/api/v1/logs', async (request, reply) => {
      const { body } = request
      const rows = await keep(Array.isArray(body) ? body : [body])
      const answers = rows.map(({ log_id }) => ({ log_id }))
      return reply.code(201).send(Array.isArray(body) ? answers : answers[0])
    })

    scope.get('/api/v1/logs', async (request) => {
      const { where, page, pageSize } = readListQuery(request.url)
      const { rows, total = 0 } = await logs.page({
        where,
        orderBy: '-executed_at',
        limit: pageSize,
        offset: (page - 1) * pageSize,
        count: 'exact',
      })
      const pagination = { page, page_size: pageSize, total, pages: Math.ceil(total / pageSize) }
      return { data: rows.map((row) => recordToJson(Log, row, { secrets: 'omit' })), pagination }
    })

    scope.get<{ Params: { id: string } }>('/api/v1/logs/:id', async ({ params }) => {
      const row = await logs.get(params.id)
      if (!row) throw new NotFoundError(`There is no log ${params.id}.`)
      return recordToJson(Log, row, { secrets: 'omit' })
    })

    for (const [name, count] of Object.entries({ overview, categories: countByCategory, timeline: countOverTime }))
      scope.get(`/api/v1/metrics/${name}`, async ({ url }) => count(readFilters(new URL(url, 'http://host').searchParams)))

    mountDashboard(scope)
  },
  openApi: describeLogRoutes,
}

/** Keeps records, each once by its key: what arrives again is answered with what is there. */
async function keep(bodies: readonly unknown[]) {
  if (bodies.length > mostRecords) throw new ValidationError(`At most ${mostRecords} records come in one request.`)
  const issues: { path: string; message: string }[] = []
  const records = bodies.map((body, index) => {
    const { record, owned, issues: found } = recordFromJson(Log, body, 'insert')
    const place = bodies.length > 1 ? `${index}.` : ''
    issues.push(...found.map(({ path, message }) => ({ path: `${place}${path}`, message })))
    issues.push(...Object.keys(owned).map((name) => ({ path: `${place}${name}`, message: 'is not for requests to say; leave it out' })))
    return record as InsertOf<typeof Log>
  })
  if (issues.length > 0) throw new ValidationError(issues)
  const keyed = records.filter(({ key }) => key !== undefined && key !== null)
  if (keyed.length === records.length) return await logs.upsertMany(records, { on: ['key'] })
  if (keyed.length > 0) throw new ValidationError([{ path: 'key', message: 'has to be in all records of a request, or in none' }])
  return await logs.insertMany(records)
}

const filters = ['ticket_id', 'status', 'category', 'workflow', 'since', 'until'] as const

function readListQuery(url: string): { where: Where<typeof Log>; page: number; pageSize: number } {
  const query = new URL(url, 'http://host').searchParams
  const page = readCount(query, 'page', 1, 1_000_000)
  const pageSize = readCount(query, 'page_size', 50, mostOnPage)
  query.delete('page')
  query.delete('page_size')
  return { where: readFilters(query), page, pageSize }
}

/** Reads what a list or an overview is about. Throws InvalidQueryError for what is not known. */
function readFilters(query: URLSearchParams): Where<typeof Log> {
  for (const name of query.keys()) {
    if (!filters.some((known) => known === name))
      throw new InvalidQueryError(`There is no parameter "${name}" here. Parameters: page, page_size, ${filters.join(', ')}.`)
    if (query.getAll(name).length > 1) throw new InvalidQueryError(`${name} is given twice.`)
  }
  const status = query.get('status')
  if (status !== null && status !== 'success' && status !== 'failure') throw new InvalidQueryError('status is success or failure.')
  const [since, until] = [readInstant(query, 'since'), readInstant(query, 'until')]
  const text = (name: 'ticket_id' | 'category' | 'workflow') => (query.has(name) ? { [name]: query.get(name) } : {})
  return {
    ...text('ticket_id'),
    ...text('category'),
    ...text('workflow'),
    ...(status !== null && { status }),
    ...((since || until) && { executed_at: { ...(since && { gte: since }), ...(until && { lt: until }) } }),
  }
}

function readCount(query: URLSearchParams, name: string, otherwise: number, most: number): number {
  const text = query.get(name)
  if (text === null) return otherwise
  const value = /^\d{1,7}$/.test(text) ? Number(text) : 0
  if (value < 1 || value > most) throw new InvalidQueryError(`${name} is a whole number from 1 to ${most}.`)
  return value
}

function readInstant(query: URLSearchParams, name: string): Date | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const instant = new Date(text)
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(instant.getTime()))
    throw new InvalidQueryError(`${name} is an instant like 2026-11-30T09:00:00Z.`)
  return instant
}
