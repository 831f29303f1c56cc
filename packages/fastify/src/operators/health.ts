import { healthToJson, type Storage } from '@strongroom/core'
import type { RouteHandlerMethod } from 'fastify'
import { readFlags } from '../query.ts'
import { sendJson } from '../reply.ts'
import { isOperator, type Operators } from './guard.ts'
import { guarded } from './guarded.ts'

/** `GET /db/health`: asks the database something; operators also see how it is. Nobody else can make it work for that. */
export function databaseHealth(storage: Storage, operators: Operators): RouteHandlerMethod {
  return async (request, reply) => {
    readFlags(request, [])
    const details = (await isOperator(operators, request)) ? healthToJson(await storage.health()) : await storage.ping()
    return sendJson(guarded(reply), 200, { status: 'ok', ...details }, { message: 'The database answers' })
  }
}
