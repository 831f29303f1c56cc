import type { Storage } from '@strongroom/core'
import type { RouteHandlerMethod } from 'fastify'
import type { Metrics } from '../observe/metrics.ts'
import { type Operators, requireOperator } from '../operators/guard.ts'

/** `GET /metrics`: how busy a server is, and with what, is for operators to know. */
export function tellMetrics(storage: Storage, metrics: Metrics, operators: Operators): RouteHandlerMethod {
  return async (request, reply) => {
    await requireOperator(operators, request)
    const text = await metrics.write(storage)
    return reply.header('cache-control', 'no-store').type(metrics.contentType).send(text)
  }
}
