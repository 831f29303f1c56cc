import { basename } from 'node:path'
import type { AuditEntry, ImportReport, KeptBackup, RestoreReport, StorageHealth } from '@strongroom/core'
import type { Document } from './target.ts'

// What a database answers takes the form that a server gives it, so that scripts need not know which one they ask. A test compares them.

export function healthDocument({ lastBackup, backupUnderWay, queue, audit, ...health }: StorageHealth): Document {
  return {
    status: 'ok',
    engine: health.engine,
    latency_ms: thousandths(health.latency),
    database_bytes: health.databaseBytes,
    wal_bytes: health.walBytes,
    free_disk_bytes: health.freeDiskBytes,
    schema: { fits: health.schemaDifferences.length === 0, differences: health.schemaDifferences },
    last_backup: lastBackup && { ...backupDocument(lastBackup), age_seconds: thousandths(lastBackup.age) },
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

function backupDocument({ name, place, bytes, createdAt, verified, error }: KeptBackup): Document {
  return { name, place, bytes, created_at: createdAt.toISOString(), verified, error }
}

export function restoreDocument({ restored, bytes, sha256, tables, since, migrations, safetyCopy, epoch }: RestoreReport): Document {
  return {
    status: 'ok',
    restored,
    bytes,
    sha256,
    tables: tables.map(({ table, now, inFile }) => ({ table, now, in_file: inFile })),
    since: { entries: since.entries, last_entry: since.lastEntry, same_history: since.sameHistory },
    migrations,
    safety_copy: safetyCopy === null ? null : basename(safetyCopy),
    epoch,
  }
}

export function importDocument({ applied, dryRun, tables, skipped, errors, errorCount }: ImportReport): Document {
  return { applied, dry_run: dryRun, tables, skipped, errors, error_count: errorCount }
}

export function entryDocument(entry: AuditEntry): Document {
  return { ...entry, timestamp: entry.timestamp.toISOString() }
}

function thousandths(value: number): number {
  return Number(value.toFixed(3))
}
