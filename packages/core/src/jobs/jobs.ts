import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { ConflictError, NotFoundError, StorageBusyError, StorageUnavailableError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { isId } from '../model/record-id.ts'
import type { BoundTable } from '../query/bound-table.ts'
import { JobRecords } from '../schema/job-records.ts'
import type { StorageObserver } from '../session/observer.ts'
import type { Units } from '../session/units.ts'
import { requireWholeDatabase } from '../session/whole-database.ts'
import type { Job } from './job.ts'
import { JobLog } from './job-log.ts'
import { type JobParts, type JobTask, RunningJob } from './running-job.ts'

/** How long a job is waited for. */
export interface JobWaitOptions {
  /** Milliseconds; as long as it takes unless said. */
  readonly timeout?: number | undefined
  /** Ends the waiting, not the job. */
  readonly signal?: AbortSignal | undefined
}

/** The jobs of a storage: those that run in any process that has the database open, and those that ended in the last 7 days, at most 1000. */
export interface StorageJobs {
  /** A job, or null where there is none. */
  get(id: string): Promise<Job | null>
  /** The newest 100, newest first. */
  list(): Promise<Job[]>
  /**
   * Asks a job to end, and leaves nothing of what it did: of retention what it has removed stays so. In this process it is told at once, another one hears of it within seconds.
   * @returns the job as it stands: it is `cancelled` when it has ended
   * @throws NotFoundError where there is none; ConflictError `state_conflict` when it has ended
   * @example
   * await storage.jobs.cancel(job.id)
   * const { state } = await storage.jobs.wait(job.id) // 'cancelled', or 'done' where it was too late
   */
  cancel(id: string): Promise<Job>
  /**
   * Waits until a job has ended, or the time is over, and answers it as it stands then.
   * @throws NotFoundError where there is none
   */
  wait(id: string, options?: JobWaitOptions): Promise<Job>
}

/** What the jobs of a storage stand on. */
export interface JobsParts {
  readonly table: BoundTable
  readonly units: Units
  readonly logger: Logger
  readonly observer?: StorageObserver | undefined
  /** The time of day; tests have their own. */
  readonly now?: () => Date
}

/** Jobs that are listed. */
const mostListed = 100

/** Jobs that run in one process: each of them has files on the disk. */
const mostRunning = 16

/** Milliseconds between two looks at a job of another process. */
const look = 250

/** Milliseconds that whoever starts a job waits at most until others can find it. */
const longestFinding = 500

/** Milliseconds, some 24 days: a timer of Node's that is set for longer comes at once. Who waits so long waits for the end. */
const longestTimer = 2 ** 31 - 1

/** Milliseconds, an hour, between two looks for jobs that ended long ago. */
const sweep = 3_600_000

/** Starts jobs, and knows those of this process as they are, those of others as they were last heard of. */
export class Jobs implements StorageJobs {
  readonly #parts: JobParts
  readonly #observer: StorageObserver | undefined
  readonly #running = new Map<string, Pick<RunningJob, 'job' | 'cancel' | 'close' | 'added' | 'ended' | 'stored'>>()
  readonly #sweeping: NodeJS.Timeout
  readonly #requireWhole: () => void
  #closed = false

  constructor({ table, units, logger, observer, now = () => new Date() }: JobsParts) {
    this.#observer = observer
    this.#requireWhole = () => requireWholeDatabase(units, 'jobs are about')
    const log = new JobLog(table, units, { owner: randomUUID(), isHere: (id) => this.#running.has(id), now })
    this.#parts = { log, logger, now, serialWrites: table.engine.capabilities.serialWrites, around: observer?.around }
    this.#sweeping = setInterval(() => void this.#forgetOld(), sweep).unref()
  }

  start<Progress extends Job['progress'], Report extends NonNullable<Job['result']>>(task: JobTask<Progress, Report>): Job {
    if (this.#closed) throw closed()
    this.#requireWhole()
    if (this.#running.size >= mostRunning)
      throw new StorageBusyError(`${mostRunning} jobs are running. Nothing was started; try again when one has ended.`)
    const running = new RunningJob<Progress, Report>(this.#parts, task)
    const { id, kind } = running.job
    this.#running.set(id, running)
    this.#observer?.jobSeen?.({ id, kind, state: 'running' })
    void running.stored.then(() => {
      this.#observer?.jobSeen?.({ id, kind, state: running.job.state })
      this.#running.delete(id)
      void this.#forgetOld()
    })
    return running.job
  }

  /** Waits until other processes can find a job that was started here. Behind a long write of somebody else that would take as long as it does. */
  async whenFound(id: string): Promise<void> {
    const added = this.#running.get(id)?.added
    if (!added) return
    const over = new AbortController()
    await Promise.race([added, pause(longestFinding, undefined, { signal: over.signal }).catch(() => undefined)])
    over.abort()
  }

  async get(id: string): Promise<Job | null> {
    this.#requireWhole()
    const here = this.#running.get(id)
    if (here) return here.job
    if (!isId(JobRecords, id)) return null
    const [found] = await this.#parts.log.find({ id })
    return found ?? null
  }

  async list(): Promise<Job[]> {
    this.#requireWhole()
    const here = new Map([...this.#running].map(([id, { job }]) => [id, job]))
    const stored = await this.#parts.log.find({ limit: mostListed })
    const all = new Map([...stored.map((job) => [job.id, job] as const), ...here])
    return [...all.values()].toSorted((one, other) => (one.id < other.id ? 1 : -1)).slice(0, mostListed)
  }

  async cancel(id: string): Promise<Job> {
    this.#requireWhole()
    const here = this.#running.get(id)
    if (here) {
      assertRunning(here.job)
      here.cancel()
      return here.job
    }
    const known = await this.get(id)
    if (!known) throw unknown(id)
    assertRunning(known)
    const job = await this.#parts.log.requestCancel(id)
    if (!job) throw unknown(id)
    return assertRunning(job)
  }

  async wait(id: string, { timeout = Number.POSITIVE_INFINITY, signal }: JobWaitOptions = {}): Promise<Job> {
    this.#requireWhole()
    const over = new AbortController()
    const timer = timeout <= longestTimer ? setTimeout(() => over.abort(), timeout) : undefined
    const end = signal ? AbortSignal.any([over.signal, signal]) : over.signal
    try {
      for (;;) {
        const here = this.#running.get(id)
        const job = here?.job ?? (await this.get(id))
        if (!job) throw unknown(id)
        if (job.state !== 'running' || end.aborted) return job
        await (here ? Promise.race([here.ended, aborted(end)]) : pause(look, undefined, { signal: end }).catch(() => undefined))
      }
    } finally {
      clearTimeout(timer)
      over.abort()
    }
  }

  /** Ends those that run here. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#sweeping)
    await Promise.all([...this.#running.values()].map((job) => job.close(closed())))
  }

  async #forgetOld(): Promise<void> {
    if (this.#closed) return
    try {
      await this.#parts.log.forgetOld()
    } catch (error) {
      if (!this.#closed) this.#parts.logger.error('Old jobs could not be removed.', error)
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

function assertRunning(job: Job): Job {
  if (job.state !== 'running') throw new ConflictError('state_conflict', `The job ${job.id} has ended: it is ${job.state}.`)
  return job
}

function unknown(id: string): NotFoundError {
  return new NotFoundError(`There is no job ${String(id).slice(0, 50)}.`)
}

function closed(): StorageUnavailableError {
  return new StorageUnavailableError('storage_closed', 'The storage is closed.')
}
