import { completeLogRecord, type GivenRecord, type LogRecord, type TraceStep } from './log-record.ts'

/** What a workflow tells of itself while it runs. None of it throws. */
export interface WorkflowLog {
  /** Notes a figure; a later one of the same name takes its place. */
  metric(name: string, value: number): void
  /** Notes a step of the run, now. */
  step(name: string, detail?: unknown): void
  /** What is told beside the figures, as JSON; a later one takes its place. */
  payload(value: unknown): void
  /** Says that the run failed although nothing is thrown. */
  fail(): void
}

/** Runs a workflow and tells of it when it is over, whether it ended well or threw. What it answers or throws is passed on. */
export async function runWorkflow<Result>(
  about: Pick<LogRecord, 'ticket_id' | 'workflow' | 'category'>,
  work: (log: WorkflowLog) => Result | Promise<Result>,
  tell: (record: LogRecord) => void,
): Promise<Result> {
  const begin = performance.now()
  const sinceBegin = () => Math.round((performance.now() - begin) * 1000) / 1000
  const metrics: Record<string, number> = {}
  const trace: TraceStep[] = []
  let payload: unknown = null
  let status: LogRecord['status'] = 'success'
  const executed_at = new Date().toISOString()
  const log: WorkflowLog = {
    metric: (name, value) => {
      metrics[name] = value
    },
    step: (name, detail) => void trace.push({ name, at_ms: sinceBegin(), ...(detail !== undefined && { detail }) }),
    payload: (value) => {
      payload = value
    },
    fail: () => {
      status = 'failure'
    },
  }
  try {
    return await work(log)
  } catch (error) {
    status = 'failure'
    log.step('error', error instanceof Error ? { name: error.name, message: error.message } : String(error))
    throw error
  } finally {
    const given: GivenRecord = { ...about, status, executed_at, duration_ms: sinceBegin(), metrics, payload, trace }
    tell(completeLogRecord(given))
  }
}
