import { Erasures } from '../../audit/erasures.ts'
import { Counters } from '../../counters/counters-table.ts'
import { KeptAnswers } from '../../idempotency/kept-answers.ts'
import { BackupRecords } from '../../schema/backup-records.ts'
import { JobRecords } from '../../schema/job-records.ts'

/**
 * What one part of the library has to say when a database gets another content. It is plain data: another thread does the work. Tables
 * are those of models, the library's own among them; conditions are SQL over their columns that means the same on all engines.
 */
export interface RestoreModule {
  readonly name: string
  /** What a file must not hold. It is looked at before anything is changed. */
  readonly check?: readonly FileCheck[]
  /** What is ended in the rows of the file, before others are carried over, or in all rows, afterwards. */
  readonly end?: readonly EndRule[]
  /** Which rows of the live database stay as they are now. */
  readonly carry?: readonly CarryRule[]
}

/** Rows that a file must not hold. */
export interface FileCheck {
  readonly table: string
  readonly where: string
  readonly code: 'validation_failed' | 'state_conflict'
  /** Why the file is refused. */
  readonly sentence: string
}

/** Live rows that must not be lost, or not come back as they were. */
export interface CarryRule {
  readonly table: string
  /**
   * `replace`: the table is as it is now, and the file's rows are forgotten. `merge`: live rows are added to those of the file; where they
   * have the same id, or the same `key`, the live one holds.
   */
  readonly how: 'replace' | 'merge'
  /** Fields that tell one row from another, beside the id. */
  readonly key?: readonly string[]
  /** Which live rows; all unless said. */
  readonly where?: string
}

/** Rows that must not go on as the file has them. */
export interface EndRule {
  readonly table: string
  readonly rows: 'file' | 'all'
  readonly where: string
  /** What they are given, in code form; they are removed where neither this nor `stamp` is said. */
  readonly set?: Readonly<Record<string, unknown>>
  /** Fields that are given the moment of the restore; whole numbers get its milliseconds since 1970. */
  readonly stamp?: readonly string[]
}

const restoredMeanwhile = 'The database was restored while the job ran. Nothing of it was written; start it again.'

/** All that have something to say. */
export const restoreModules: readonly RestoreModule[] = [
  // A key that was used since the file was made stays used, and one that was forgotten since is not remembered again.
  { name: 'idempotency', carry: [{ table: KeptAnswers.name, how: 'replace' }] },
  // Whoever has used up a limit has, whatever the file says.
  { name: 'counters', carry: [{ table: Counters.name, how: 'replace' }] },
  // What was erased since the file was made is erased again: the storage looks at this when the new content is there.
  { name: 'erasures', carry: [{ table: Erasures.name, how: 'merge', key: ['component', 'record_id'] }] },
  // The list tells of files that are there now. The file's own backup stands in it as one that is under way.
  { name: 'scheduled backups', carry: [{ table: BackupRecords.name, how: 'replace' }] },
  // How jobs ended is still told. One that runs was begun for another content: it hears that it is over before it commits anything.
  {
    name: 'jobs',
    carry: [{ table: JobRecords.name, how: 'replace' }],
    end: [
      {
        table: JobRecords.name,
        rows: 'all',
        where: `"state" = 'running'`,
        set: { state: 'failed', error: { code: 'state_conflict', message: restoredMeanwhile } },
        stamp: ['finished_at'],
      },
    ],
  },
]
