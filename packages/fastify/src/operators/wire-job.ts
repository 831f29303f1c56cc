import { importReportToJson, type Job } from '@strongroom/core'

/** A job in JSON form. */
export function wireJob(job: Job): Record<string, unknown> {
  const { requestId, startedAt, finishedAt, cancelRequested } = job
  return {
    id: job.id,
    kind: job.kind,
    state: job.state,
    actor: job.actor,
    request_id: requestId,
    started_at: startedAt.toISOString(),
    finished_at: finishedAt?.toISOString() ?? null,
    cancel_requested: cancelRequested,
    progress: job.progress,
    result: job.kind === 'import' ? job.result && importReportToJson(job.result) : job.result,
    error: job.error,
  }
}
