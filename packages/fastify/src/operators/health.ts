import type { Storage, StorageHealth } from '@strongroom/core'
import type { RouteHandlerMethod } from 'fastify'
import { readFlags } from '../query.ts'
import { sendJson } from '../reply.ts'
import { wireBackup } from './backups.ts'
import { isOperator, type Operators } from './guard.ts'

/** `GET /db/health`: asks the database something; operators also see how it is. Nobody else can make it work for that. */
export function databaseHealth(storage: Storage, operators: Operators): RouteHandlerMethod {
  return async (request, reply) => {
    readFlags(request, [])
    const details = (await isOperator(operators, request)) ? wireHealth(await storage.health()) : await storage.ping()
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
    return sendJson(reply, 200, { status: 'ok', ...details }, { message: 'The database answers' })
  }
}

function wireHealth({ lastBackup, backupUnderWay, queue, audit, ...health }: StorageHealth): Record<string, unknown> {
  return {
    engine: health.engine,
    latency_ms: thousandths(health.latency),
    database_bytes: health.databaseBytes,
    wal_bytes: health.walBytes,
    free_disk_bytes: health.freeDiskBytes,
    schema: { fits: health.schemaDifferences.length === 0, differences: health.schemaDifferences },
    last_backup: lastBackup && { ...wireBackup(lastBackup), age_seconds: thousandths(lastBackup.age) },
    backup_under_way: backupUnderWay && {
      name: backupUnderWay.name,
      place: backupUnderWay.place,
      created_at: backupUnderWay.createdAt.toISOString(),
      age_seconds: thousandths(backupUnderWay.age),
    },
    backup_error: health.backupError,
    queue: { running: queue.running, waiting: queue.waiting, longest_wait_ms: thousandths(queue.longestWait) },
    audit: {
      epoch: audit.epoch,
      last_entry: audit.lastEntry && { id: audit.lastEntry.id, timestamp: audit.lastEntry.timestamp.toISOString() },
    },
  }
}

function thousandths(value: number): number {
  return Number(value.toFixed(3))
}
