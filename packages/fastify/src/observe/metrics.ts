import type { EndedUnit, SeenJob, Storage, StorageObserver, WrittenRecords } from '@strongroom/core'
import type { Registry } from 'prom-client'
import { addFigure } from './add-figure.ts'
import { databaseMetrics } from './database-metrics.ts'
import type { AppFigure } from './figure.ts'
import { Count, Durations } from './instruments.ts'
import { processMetrics } from './process-metrics.ts'
import type { AnsweredRequest } from './watch-requests.ts'

type Library = typeof import('prom-client')

/** Seconds: from a record that is read at once to an upload. */
const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** Seconds: from a write that nobody is in the way of to the limits of patience. */
const transactionBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Answers that say no to whoever asks. */
const denials: readonly number[] = [401, 403, 429]

/** Counts what a server and its storage do, in a registry of its own. */
export class Metrics {
  /** For the storage. */
  readonly observer: StorageObserver
  readonly #library: Library
  readonly #registry: Registry
  readonly #requests: ReturnType<typeof requestMetrics>

  private constructor(library: Library) {
    this.#library = library
    this.#registry = new library.Registry()
    this.#requests = requestMetrics(this.#registry)
    this.observer = storageMetrics(library, this.#registry)
  }

  /** Loads what counts: nobody pays for it where there are no metrics. */
  static async open(): Promise<Metrics> {
    return new Metrics(await import('prom-client'))
  }

  /** A request was answered, or its client has gone. */
  answered({ method, route, status, seconds }: AnsweredRequest): void {
    this.#requests.duration.observe([method, route, status ?? 'aborted'], seconds)
    if (status !== null && denials.includes(status)) this.#requests.denied.add([status])
  }

  /** Shows figures of others, too. `failed` is told of one that cannot be read, which is then absent. */
  add(figures: readonly AppFigure[], failed: (name: string, error: unknown) => void): void {
    for (const figure of figures) addFigure(this.#library, this.#registry, figure, failed)
  }

  /** The media type of what `write` writes. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /** Everything as Prometheus reads it; the database is asked, too. */
  async write(storage: Storage): Promise<string> {
    const parts = [this.#registry, ...(await Promise.all([databaseMetrics(this.#library, storage), processMetrics(this.#library)]))]
    return (await Promise.all(parts.map((registry) => registry.metrics()))).join('\n')
  }
}

function requestMetrics(registry: Registry) {
  const labelNames = ['method', 'route', 'status']
  const denied = new Count(registry, {
    name: 'strongroom_denied_requests_total',
    help: 'Requests that were refused because nobody is known, may do it (401, 403) or may ask so often (429).',
    labelNames: ['status'],
  })
  // An alert on their rate has something to begin with.
  for (const status of denials) denied.add([status], 0)
  const about = { name: 'http_request_duration_seconds', help: 'Seconds from a request to the end of its answer, by route.', labelNames }
  const duration = new Durations(registry, about, requestBuckets)
  duration.tellCount(registry, { name: 'http_requests_total', help: 'Requests that were answered, by route.' })
  return { denied, duration }
}

function storageMetrics(library: Library, registry: Registry): StorageObserver {
  return { unitEnded: countUnits(registry), recordsWritten: countRecords(registry), jobSeen: countJobs(library, registry) }
}

function countUnits(registry: Registry): (unit: EndedUnit) => void {
  const wait = new Durations(
    registry,
    {
      name: 'strongroom_transaction_wait_seconds',
      help: "Seconds that a transaction waited: for SQLite's one writer, or for a connection to PostgreSQL.",
      labelNames: [],
    },
    transactionBuckets,
  )
  const duration = new Durations(
    registry,
    {
      name: 'strongroom_transaction_duration_seconds',
      help: 'Seconds that a transaction took, with its wait.',
      labelNames: ['outcome'],
    },
    transactionBuckets,
  )
  const retries = new Count(registry, {
    name: 'strongroom_transaction_retries_total',
    help: 'Transactions that were begun again because others were in their way.',
    labelNames: [],
  })
  const failures = new Count(registry, {
    name: 'strongroom_transaction_failures_total',
    help: 'Transactions that were rolled back, by the code of the error.',
    labelNames: ['code'],
  })
  retries.add([], 0)
  return (unit) => {
    wait.observe([], unit.wait / 1000)
    duration.observe([unit.outcome], unit.duration / 1000)
    if (unit.tries > 1) retries.add([], unit.tries - 1)
    if (unit.code !== null) failures.add([unit.code])
  }
}

function countRecords(registry: Registry): (written: WrittenRecords) => void {
  const records = new Count(registry, {
    name: 'strongroom_records_written_total',
    help: 'Records that were written and committed.',
    labelNames: ['component', 'operation'],
  })
  const entries = new Count(registry, {
    name: 'strongroom_audit_entries_total',
    help: 'Audit entries of records that were written.',
    labelNames: [],
  })
  entries.add([], 0)
  return ({ component, operation, count }) => {
    records.add([component, operation], count)
    entries.add([], count)
  }
}

function countJobs({ Counter, Gauge }: Library, registry: Registry): (job: SeenJob) => void {
  const registers = [registry]
  const running = new Gauge({
    name: 'strongroom_jobs_running',
    help: 'Jobs that run in this process.',
    labelNames: ['kind'] as const,
    registers,
  })
  const ended = new Counter({
    name: 'strongroom_jobs_ended_total',
    help: 'Jobs of this process that have ended, by how.',
    labelNames: ['kind', 'state'] as const,
    registers,
  })
  running.set({ kind: 'import' }, 0)
  for (const state of ['done', 'failed', 'cancelled']) ended.inc({ kind: 'import', state }, 0)
  return ({ kind, state }) => {
    if (state === 'running') return running.inc({ kind })
    running.dec({ kind })
    ended.inc({ kind, state })
  }
}
