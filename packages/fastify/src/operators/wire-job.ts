import { importReportToJson, type Job } from '@strongroom/core'

/** A job in JSON form. */
export function wireJob({ requestId, startedAt, finishedAt, cancelRequested, result, ...job }: Job): Record<string, unknown> {
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
    result: result && importReportToJson(result),
    error: job.error,
  }
}
