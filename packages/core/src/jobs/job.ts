import type { ErrorCode } from '@strongroom/contract'
import type { RetentionProgress, RetentionReport } from '../retention/report.ts'
import type { ImportProgress, ImportReport } from '../transfer/import/report.ts'

/** `running`; or how it ended: `done`, `failed`, or `cancelled`, by somebody or because the storage was closed. */
export type JobState = 'running' | 'done' | 'failed' | 'cancelled'

/** Why a job did not do what it was to do. */
export interface JobError {
  readonly code: ErrorCode
  /** A sentence that says what to do. */
  readonly message: string
}

/** What is known of any job. */
interface AnyJob<Kind extends string, Progress, Report> {
  readonly id: string
  readonly kind: Kind
  readonly state: JobState
  /** Who asked for it. */
  readonly actor: string
  /** The request in whose name it writes. */
  readonly requestId: string | null
  readonly startedAt: Date
  /** Null while it runs. */
  readonly finishedAt: Date | null
  /** Somebody wants it to end. */
  readonly cancelRequested: boolean
  /** How far it is; some seconds old where another process runs it, and older while that one writes. */
  readonly progress: Progress
  /** Null before its end, and where it did not come so far. */
  readonly result: Report | null
  /** Null while it runs, when it is done, and when somebody cancelled it. */
  readonly error: JobError | null
}

/** An import. Its `result` is its report, also of one that failed because rows are wrong. */
export type ImportJob = AnyJob<'import', ImportProgress, ImportReport>

/** Retention: the beginning of the audit log goes, piece by piece. Its `result` tells what went, and from where each component is kept. */
export type RetentionJob = AnyJob<'retention', RetentionProgress, RetentionReport>

/** Long work that goes on by itself, whoever waits for it; `kind` says which. */
export type Job = ImportJob | RetentionJob

/** How a job ended. */
export interface JobOutcome {
  readonly result: Job['result']
  readonly error: JobError | null
  readonly state: Exclude<JobState, 'running'>
  readonly finishedAt: Date
}
