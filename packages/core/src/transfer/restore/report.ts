import { basename } from 'node:path'
import type { AuditFault } from '../../audit/log-fault.ts'
import type { Since, TableRows } from './examine.ts'

/** What came of looking through the audit log of a file, as `storage.audit.verify()` would. */
export interface LogVerdict {
  /** Whether nothing is wrong. */
  readonly ok: boolean
  /** Entries that were looked at. */
  readonly entries: number
  /** The first thing that is wrong. */
  readonly fault: AuditFault | null
}

/** What a restore did, or would do. */
export interface RestoreReport {
  /** False after a dry run. */
  readonly restored: boolean
  /** Bytes of the file, and their SHA-256 in hexadecimal. */
  readonly bytes: number
  readonly sha256: string
  readonly tables: readonly TableRows[]
  /** Whether the file's audit log is whole. One that is not can be restored all the same. */
  readonly audit: LogVerdict
  /** What was written since the file was made, and is lost but for the safety copy. */
  readonly since: Since
  /** What has to be done to the file, so that it fits the models: a sentence for each. */
  readonly migrations: readonly string[]
  /** Where the replaced database stays; null after a dry run. */
  readonly safetyCopy: string | null
  /** The log's epoch from now on; null after a dry run. */
  readonly epoch: number | null
}

/** The report of a restore in JSON form, as `POST /db/restore` answers it. */
export function restoreReportToJson({
  restored,
  bytes,
  sha256,
  tables,
  audit,
  since,
  migrations,
  safetyCopy,
  epoch,
}: RestoreReport): Record<string, unknown> {
  return {
    status: 'ok',
    restored,
    bytes,
    sha256,
    tables: tables.map(({ table, now, inFile }) => ({ table, now, in_file: inFile })),
    audit: { ok: audit.ok, entries: audit.entries, fault: audit.fault },
    since: { entries: since.entries, last_entry: since.lastEntry, same_history: since.sameHistory },
    migrations,
    // Its folder is known to whoever runs the server, and nobody else's business.
    safety_copy: safetyCopy === null ? null : basename(safetyCopy),
    epoch,
  }
}
