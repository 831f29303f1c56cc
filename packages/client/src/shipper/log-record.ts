/** What is told of one run of a workflow. */
export interface LogRecord {
  /** The ticket, order or request that the run was for. */
  readonly ticket_id: string
  readonly workflow: string
  readonly status: 'success' | 'failure'
  readonly category: string
  /** When the run began, RFC 3339 in UTC. */
  readonly executed_at: string
  /** Milliseconds. */
  readonly duration_ms: number
  /** Figures by their names. */
  readonly metrics: Readonly<Record<string, number>>
  /** Anything else, as JSON. */
  readonly payload: unknown
  /** The steps of the run, in order. */
  readonly trace: readonly TraceStep[]
}

/** A step of a run. */
export interface TraceStep {
  readonly name: string
  /** Milliseconds from the beginning of the run. */
  readonly at_ms: number
  readonly detail?: unknown
}

/** What of a record may be left out: it is then a successful one of now. */
export type GivenRecord = Pick<LogRecord, 'ticket_id' | 'workflow' | 'category'> & Partial<LogRecord>

/** Fills in what was left out. */
export function completeLogRecord(given: GivenRecord): LogRecord {
  return {
    status: 'success',
    executed_at: new Date().toISOString(),
    duration_ms: 0,
    metrics: {},
    payload: null,
    trace: [],
    ...given,
  }
}
