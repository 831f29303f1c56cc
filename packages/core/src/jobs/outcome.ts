import { StrongroomError } from '../errors.ts'
import type { ImportProgress, ImportReport } from '../transfer/import/report.ts'
import type { Job, JobError, JobOutcome } from './job.ts'

/** Ends a job that somebody cancelled. */
export class JobCancelled extends Error {
  constructor() {
    super('The job was cancelled.')
  }
}

/** How an import ended that came to its report. Rows that are wrong are a failure: what was asked for was not done. */
export function outcomeOf(report: ImportReport, finishedAt: Date): JobOutcome {
  const { errorCount } = report
  if (errorCount === 0) return { state: 'done', finishedAt, result: report, error: null }
  const message = `${errorCount === 1 ? 'One error was' : `${errorCount} errors were`} found in the files. Nothing was written.`
  return { state: 'failed', finishedAt, result: report, error: { code: 'validation_failed', message } }
}

/** How far an import is that came to its report: to its end, unless rows are wrong. */
export function lastProgress({ bytes, ...progress }: ImportProgress, { errorCount, tables }: ImportReport): ImportProgress {
  if (errorCount > 0) return { ...progress, bytes }
  return { phase: 'writing', rows: tables.reduce((sum, { rows }) => sum + rows, 0), bytes }
}

/** How a job ended that threw something. */
export function failureOf(kind: Job['kind'], error: unknown, finishedAt: Date): JobOutcome {
  if (error instanceof JobCancelled) return { state: 'cancelled', finishedAt, result: null, error: null }
  const told = tell(kind, error)
  return { state: told.code === 'storage_closed' ? 'cancelled' : 'failed', finishedAt, result: null, error: told }
}

/** Whether whoever runs the server has to hear of it: whoever asked for the job is told less. */
export function isUnexpected(error: unknown): boolean {
  return !(error instanceof JobCancelled) && tell('import', error).code === 'internal_error'
}

/** The job's owner is gone, and with it what it had not yet committed. */
export function lostOutcome(kind: Job['kind'], finishedAt: Date): JobOutcome {
  const error: JobError = { code: 'storage_unavailable', message: `The server ended while it ran; ${leaves[kind]} Start it again.` }
  return { state: 'failed', finishedAt, result: null, error }
}

/** What a job leaves that did not come to its end. */
const leaves = { import: 'nothing was written.', retention: 'what it had removed stays so.' } as const

function tell(kind: Job['kind'], error: unknown): JobError {
  if (error instanceof StrongroomError && error.code === 'storage_closed')
    return { code: error.code, message: `The storage was closed while it ran; ${leaves[kind]} Start it again.` }
  // The others are mistakes in the program: their sentences are for those who write it.
  if (error instanceof StrongroomError && error.status !== 500) return { code: error.code, message: error.message }
  return { code: 'internal_error', message: `Something went wrong in the server. Its log has the details; ${leaves[kind]}` }
}
