import type { BackupRecord } from './backup-log.ts'

/** A scheduled backup. */
export interface KeptBackup {
  readonly name: string
  /** Where it is kept: the folder, or what the target calls itself. */
  readonly place: string
  /** Bytes of the file; null while it is being made, and where it failed. */
  readonly bytes: number | null
  /** When it was begun: it holds every write that was acknowledged before. */
  readonly createdAt: Date
  /** Whether it was read back and passed all checks; null while it is being made, and where there is no file. */
  readonly verified: boolean | null
  /** What is wrong with it; null where nothing is. */
  readonly error: string | null
}

/** A try as others see it. */
export function keptBackup({ name, place, bytes, started_at, verified, error }: BackupRecord): KeptBackup {
  return { name, place, bytes, createdAt: started_at, verified, error }
}

/** A backup in JSON form, as `GET /db/backups` lists it. */
export function backupToJson({ name, place, bytes, createdAt, verified, error }: KeptBackup): Record<string, unknown> {
  return { name, place, bytes, created_at: createdAt.toISOString(), verified, error }
}
