import type { RetentionProgress, RetentionReport } from '../retention/report.ts'
import type { ImportProgress, ImportReport } from '../transfer/import/report.ts'
import type { Job, JobOutcome } from './job.ts'
import { lastProgress, outcomeOf } from './outcome.ts'

/** What jobs of a kind tell of themselves. */
export interface JobKind<Progress extends Job['progress'], Report extends NonNullable<Job['result']>> {
  readonly kind: Job['kind']
  /** How far a job is that has just begun. */
  readonly begun: Progress
  /** How far one is that came to its report. */
  readonly last: (progress: Progress, report: Report) => Progress
  readonly outcome: (report: Report, finishedAt: Date) => JobOutcome
  /** Whether its end was stored by the unit that did its work. */
  readonly isSealed: (report: Report) => boolean
}

export const imports: JobKind<ImportProgress, ImportReport> = {
  kind: 'import',
  begun: { phase: 'reading', rows: 0, bytes: 0 },
  last: lastProgress,
  outcome: outcomeOf,
  isSealed: ({ applied }) => applied,
}

/** Each piece is whole by itself: that a job is done is told once all of them are. */
export const retentions: JobKind<RetentionProgress, RetentionReport> = {
  kind: 'retention',
  begun: { phase: 'removing', entries: 0 },
  last: (_progress, { removed }) => ({ phase: 'removing', entries: removed }),
  outcome: (report, finishedAt) => ({ state: 'done', finishedAt, result: report, error: null }),
  isSealed: () => false,
}
