import type { Storage, StorageHealth } from '@strongroom/core'
import type { Registry } from 'prom-client'

type Library = typeof import('prom-client')

/** What is told of a database that answers; null for what is not known. */
const gauges: readonly { readonly name: string; readonly help: string; readonly read: (health: StorageHealth) => number | null }[] = [
  {
    name: 'strongroom_database_latency_seconds',
    help: 'Seconds that a small query took.',
    read: ({ latency }) => latency / 1000,
  },
  { name: 'strongroom_database_bytes', help: 'Size of the database.', read: ({ databaseBytes }) => databaseBytes },
  { name: 'strongroom_database_wal_bytes', help: "Size of SQLite's write-ahead log.", read: ({ walBytes }) => walBytes },
  { name: 'strongroom_database_free_disk_bytes', help: "Free on the disk of SQLite's file.", read: ({ freeDiskBytes }) => freeDiskBytes },
  {
    name: 'strongroom_queue_running',
    help: 'Transactions that write to SQLite now, or connections to PostgreSQL that are in use.',
    read: ({ queue }) => queue.running,
  },
  { name: 'strongroom_queue_waiting', help: 'Who waits for that.', read: ({ queue }) => queue.waiting },
  {
    name: 'strongroom_queue_longest_wait_seconds',
    help: 'Seconds that the first of them has waited.',
    read: ({ queue }) => queue.longestWait / 1000,
  },
  {
    name: 'strongroom_schema_fits',
    help: '1 while the tables are as the models want them.',
    read: ({ schemaDifferences }) => Number(schemaDifferences.length === 0),
  },
  {
    name: 'strongroom_backup_age_seconds',
    help: 'Seconds since the newest scheduled backup of which there is a file; absent where there is none.',
    read: ({ lastBackup }) => lastBackup?.age ?? null,
  },
  {
    name: 'strongroom_backup_failed',
    help: '1 while the newest scheduled backup is one that failed.',
    read: ({ backupError }) => Number(backupError !== null),
  },
  { name: 'strongroom_audit_epoch', help: 'Grows when the database is restored.', read: ({ audit }) => audit.epoch },
  {
    name: 'strongroom_audit_seal_lag_seconds',
    help: 'Seconds that the oldest entry of the audit log without a seal has waited for one; 0 where all have theirs, as ever on SQLite.',
    read: ({ audit }) => audit.sealLag / 1000,
  },
]

/** Asks the database how it is; where it does not answer, that is what is told. */
export async function databaseMetrics({ Registry, Gauge }: Library, storage: Storage): Promise<Registry> {
  const registry = new Registry()
  const tell = (name: string, help: string, value: number): void => new Gauge({ name, help, registers: [registry] }).set(value)
  const health = await storage.health().catch(() => undefined)
  tell('strongroom_database_up', '1 where the database answers.', Number(health !== undefined))
  if (!health) return registry
  for (const { name, help, read } of gauges) {
    const value = read(health)
    if (value !== null) tell(name, help, value)
  }
  return registry
}
