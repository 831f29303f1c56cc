import { healthToJson, type Storage } from '@strongroom/core'
import type { RouteHandlerMethod } from 'fastify'
import { readFlags } from '../query.ts'
import { answerJson } from '../reply.ts'
import { isOfOneTenant, isOperator, type Operators } from './guard.ts'
import { guarded } from './guarded.ts'

/**
 * `GET /db/health`: asks the database something; operators also see how it is, which is about the whole of it and no affair of one tenant's.
 * Nobody else can make it work for that.
 */
export function databaseHealth(storage: Storage, operators: Operators): RouteHandlerMethod {
  return async (request, reply) => {
    readFlags(request, [])
    const tellsAll = !isOfOneTenant(request) && (await isOperator(operators, request))
    const details = tellsAll ? healthToJson(await storage.health()) : await storage.ping()
    return answerJson(guarded(reply), 200, { status: 'ok', ...details }, { message: 'The database answers' })
  }
}
