import { jsonSchemaOf } from '@strongroom/core'
import type { DescribedRoutes } from '@strongroom/fastify'
import { Log } from './models.ts'

type Json = Readonly<Record<string, unknown>>

/** The part of the OpenAPI document for the routes under `/api/v1`. */
export function describeLogRoutes(prefix: string, problem: Json): DescribedRoutes {
  const content = (schema: Json | object) => ({ 'application/json': { schema } })
  const record = jsonSchemaOf(Log, 'insert')
  const made = { type: 'object', required: ['log_id'], properties: { log_id: { type: 'string', format: 'uuid' } } }
  const operation = (operationId: string, summary: string, answer: Json | object, more: Json = {}, status = 200) => ({
    operationId,
    summary,
    description: summary,
    tags: ['logs'],
    ...more,
    responses: {
      [status]: { description: 'As asked.', content: content(answer) },
      '4XX': { description: 'A problem.', content: { 'application/problem+json': { schema: problem } } },
    },
  })
  const parameter = (name: string, schema: Json) => ({ name, in: 'query', required: false, description: `${name} of the logs.`, schema })
  const filters = [
    ...['ticket_id', 'category', 'workflow'].map((name) => parameter(name, { type: 'string' })),
    parameter('status', { type: 'string', enum: ['success', 'failure'] }),
    ...['since', 'until'].map((name) => parameter(name, { type: 'string', format: 'date-time' })),
  ]
  const pages = [parameter('page', { type: 'integer', minimum: 1 }), parameter('page_size', { type: 'integer', minimum: 1, maximum: 200 })]
  const number = { type: 'number' }
  const list = {
    type: 'object',
    required: ['data', 'pagination'],
    properties: {
      data: { type: 'array', items: jsonSchemaOf(Log, 'read') },
      pagination: { type: 'object', properties: { page: number, page_size: number, total: number, pages: number } },
    },
  }
  const id = { name: 'id', in: 'path', required: true, description: 'The log.', schema: { type: 'string', format: 'uuid' } }
  const body = { required: true, content: content({ oneOf: [record, { type: 'array', maxItems: 1000, items: record }] }) }
  return {
    tag: { name: 'logs', description: 'What services log of their workflows.' },
    paths: {
      [`${prefix}/api/v1/logs`]: {
        post: operation(
          'ship_logs',
          'Keeps one log, or a list of them.',
          { oneOf: [made, { type: 'array', items: made }] },
          { requestBody: body },
          201,
        ),
        get: operation('list_logs', 'Lists logs, the newest first.', list, { parameters: [...filters, ...pages] }),
      },
      [`${prefix}/api/v1/logs/{id}`]: {
        get: operation('get_log', 'One log with its trace.', jsonSchemaOf(Log, 'read'), { parameters: [id] }),
      },
      [`${prefix}/api/v1/metrics/overview`]: {
        get: operation('overview', 'How many runs there were, and how many failed.', { type: 'object' }, { parameters: filters }),
      },
      [`${prefix}/api/v1/metrics/categories`]: {
        get: operation('categories', 'The same by category.', { type: 'array', items: { type: 'object' } }, { parameters: filters }),
      },
      [`${prefix}/api/v1/metrics/timeline`]: {
        get: operation('timeline', 'The same over time.', { type: 'array', items: { type: 'object' } }, { parameters: filters }),
      },
    },
  }
}
