import { backupToJson, type Storage } from '@strongroom/core'
import type { RouteHandlerMethod } from 'fastify'
import { readFlags } from '../query.ts'
import { answerJson } from '../reply.ts'
import { type Operators, requireOperator } from './guard.ts'
import { guarded } from './guarded.ts'

/** `GET /db/backups`: the scheduled backups, newest first. */
export function listBackups(storage: Storage, operators: Operators): RouteHandlerMethod {
  return async (request, reply) => {
    await requireOperator(operators, request)
    readFlags(request, [])
    const backups = await storage.backups()
    return answerJson(guarded(reply), 200, backups.map(backupToJson), { message: 'Scheduled backups found' })
  }
}
