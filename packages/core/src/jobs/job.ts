import type { ErrorCode } from '@strongroom/contract'
import type { ImportProgress, ImportReport } from '../transfer/import/report.ts'

/** `running`; or how it ended: `done`, `failed`, or `cancelled`, by somebody or because the storage was closed. */
export type JobState = 'running' | 'done' | 'failed' | 'cancelled'

/** Why a job did not do what it was to do. */
export interface JobError {
  readonly code: ErrorCode
  /** A sentence that says what to do. */
  readonly message: string
}

/** Long work that goes on by itself, whoever waits for it. */
export interface Job {
  readonly id: string
  readonly kind: 'import'
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
  readonly progress: ImportProgress
  /** The report of an import, also of one that failed because rows are wrong; null before its end, and where it did not come so far. */
  readonly result: ImportReport | null
  /** Null while it runs, when it is done, and when somebody cancelled it. */
  readonly error: JobError | null
}

/** How a job ended. */
export interface JobOutcome extends Pick<Job, 'result' | 'error'> {
  readonly state: Exclude<JobState, 'running'>
  readonly finishedAt: Date
}
