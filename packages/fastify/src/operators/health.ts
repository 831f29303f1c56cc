import type { Storage } from '@strongroom/core'
import type { RouteHandlerMethod } from 'fastify'
import { readFlags } from '../query.ts'
import { sendJson } from '../reply.ts'
import { isOperator, type Operators } from './guard.ts'

/** `GET /db/health`: asks the database something; operators also see which one it is and how long it took. */
export function databaseHealth(storage: Storage, operators: Operators): RouteHandlerMethod {
  return async (request, reply) => {
    readFlags(request, [])
    const { engine, latency } = await storage.health()
    const details = (await isOperator(operators, request)) ? { engine, latency_ms: Number(latency.toFixed(3)) } : {}
    reply.header('cache-control', 'no-store')
    return sendJson(reply, 200, { status: 'ok', ...details }, { message: 'The database answers' })
  }
}
