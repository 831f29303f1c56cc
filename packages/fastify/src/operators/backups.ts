import type { KeptBackup, Storage } from '@strongroom/core'
import type { RouteHandlerMethod } from 'fastify'
import { readFlags } from '../query.ts'
import { sendJson } from '../reply.ts'
import { type Operators, requireOperator } from './guard.ts'

/** `GET /db/backups`: the scheduled backups, newest first. */
export function listBackups(storage: Storage, operators: Operators): RouteHandlerMethod {
  return async (request, reply) => {
    await requireOperator(operators, request)
    readFlags(request, [])
    const backups = await storage.backups()
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
    return sendJson(reply, 200, backups.map(wireBackup), { message: 'Scheduled backups found' })
  }
}

/** A backup in JSON form. */
export function wireBackup({ name, place, bytes, createdAt, verified, error }: KeptBackup): Record<string, unknown> {
  return { name, place, bytes, created_at: createdAt.toISOString(), verified, error }
}
