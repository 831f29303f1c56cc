import { backupToJson } from '../transfer/schedule/kept-backup.ts'
import type { StorageHealth } from './health.ts'

/** The health of a storage in JSON form, as `GET /db/health` tells it to operators. */
export function healthToJson({ lastBackup, backupUnderWay, queue, audit, ...health }: StorageHealth): Record<string, unknown> {
  return {
    engine: health.engine,
    latency_ms: thousandths(health.latency),
    database_bytes: health.databaseBytes,
    wal_bytes: health.walBytes,
    free_disk_bytes: health.freeDiskBytes,
    schema: {
      fits: health.schemaDifferences.length === 0,
      differences: health.schemaDifferences,
      leftovers: health.schemaLeftovers,
    },
    migrations: health.migrations,
    last_backup: lastBackup && { ...backupToJson(lastBackup), age_seconds: thousandths(lastBackup.age) },
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
      seal_lag_ms: audit.sealLag,
    },
  }
}

function thousandths(value: number): number {
  return Number(value.toFixed(3))
}
