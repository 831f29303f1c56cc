import { setTimeout as pause } from 'node:timers/promises'
import { ConflictError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { makeUuid } from '../model/uuid.ts'
import type { StorageObserver } from '../session/observer.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { ImportRecord } from '../transfer/import/import.ts'
import type { ImportProgress, ImportReport } from '../transfer/import/report.ts'
import type { Job, JobOutcome } from './job.ts'
import type { JobLog, Standing } from './job-log.ts'
import { failureOf, isUnexpected, JobCancelled, lastProgress, outcomeOf } from './outcome.ts'

/** What the work of a job is given. */
export interface JobTools {
  /** Ends the work. */
  readonly signal: AbortSignal
  readonly onProgress: (progress: ImportProgress) => void
  readonly record: ImportRecord
}

/** What a job is to do, and for whom. */
export interface JobTask extends Pick<Job, 'kind' | 'actor' | 'requestId'> {
  readonly work: (tools: JobTools) => Promise<ImportReport>
  /** Is called once the work has ended; the job's end waits for it. */
  readonly onEnd?: (() => Promise<void>) | undefined
}

/** What jobs stand on. */
export interface JobParts {
  readonly log: JobLog
  readonly logger: Logger
  /** Units run one at a time: while one of them writes for long, nothing can be renewed. */
  readonly serialWrites: boolean
  readonly around?: StorageObserver['around']
  readonly now: () => Date
}

/** Milliseconds between two signs of life, in which a job also hears that somebody else wants its end. */
const renewal = 2_000

/** How often an end that could not be stored is tried again, after as many renewals. */
const mostTries = 5

/** A job that this process runs. What is known of it here is newer than what the database has. */
export class RunningJob {
  /** Resolves when it has ended; never rejects. */
  readonly ended: Promise<void>
  /** Resolves when its end is stored, too. */
  readonly stored: Promise<void>
  readonly #parts: JobParts
  readonly #abort = new AbortController()
  readonly #closing = new AbortController()
  #job: Job
  #added: Promise<void> = Promise.resolve()
  #renewing = false

  constructor(parts: JobParts, task: JobTask) {
    this.#parts = parts
    const { kind, actor, requestId } = task
    this.#job = {
      ...{ id: makeUuid(), kind, state: 'running', actor, requestId, startedAt: parts.now(), finishedAt: null },
      ...{ cancelRequested: false, progress: { phase: 'reading', rows: 0, bytes: 0 }, result: null, error: null },
    }
    const end = Promise.withResolvers<void>()
    this.ended = end.promise
    this.stored = this.#run(task, () => end.resolve())
  }

  get job(): Job {
    return this.#job
  }

  cancel(): void {
    this.#job = { ...this.#job, cancelRequested: true }
    this.#abort.abort(new JobCancelled())
  }

  /** Ends it because the storage is being closed. */
  async close(reason: Error): Promise<void> {
    this.#abort.abort(reason)
    this.#closing.abort()
    await this.stored
  }

  async #run(task: JobTask, tellEnd: () => void): Promise<void> {
    this.#added = this.#parts.log.add(this.#job)
    this.#added.catch((error) => this.#abort.abort(error))
    const heart = setInterval(() => void this.#renew(), renewal).unref()
    const outcome = await this.#work(task)
    clearInterval(heart)
    await this.#afterwards(task)
    if (outcome.state === 'done' && outcome.result?.applied) {
      this.#job = { ...this.#job, ...outcome }
      return tellEnd()
    }
    // It may be committed after all: the database knows.
    const isOpen = outcome.error?.code === 'commit_unknown'
    if (!isOpen) this.#end(outcome, tellEnd)
    await this.#store(outcome)
    if (isOpen) this.#end(this.#job.state === 'running' ? outcome : {}, tellEnd)
  }

  #end(outcome: Partial<JobOutcome>, tellEnd: () => void): void {
    this.#job = { ...this.#job, ...outcome }
    tellEnd()
  }

  async #work({ work }: JobTask): Promise<JobOutcome> {
    const { now, logger, around } = this.#parts
    const begin = (tools: JobTools): Promise<ImportReport> => {
      const { id, kind } = this.#job
      return around ? around({ kind: 'job', name: kind, component: null, id }, () => work(tools)) : work(tools)
    }
    try {
      const report = await begin({
        signal: this.#abort.signal,
        onProgress: (progress) => {
          this.#job = { ...this.#job, progress }
        },
        record: {
          ready: () => this.#added,
          seal: (session, report) => this.#seal(session, report),
        },
      })
      this.#job = { ...this.#job, progress: lastProgress(this.#job.progress, report) }
      return outcomeOf(report, now())
    } catch (error) {
      if (isUnexpected(error)) logger.error(`The job ${this.#job.id} failed.`, error)
      return failureOf(error, now())
    }
  }

  *#seal(session: Session, report: ImportReport): Task<void> {
    const { log, now } = this.#parts
    const sealed = { ...this.#job, progress: lastProgress(this.#job.progress, report) }
    this.#obey(yield* log.seal(session, sealed, outcomeOf(report, now())))
  }

  /** Ends the work when it is not wanted, or not trusted, any more. */
  #obey(standing: Standing): void {
    if (standing === 'cancelled') throw new JobCancelled()
    if (standing === 'lost') throw new ConflictError('state_conflict', lostSentence)
  }

  async #afterwards({ onEnd }: JobTask): Promise<void> {
    try {
      await onEnd?.()
    } catch (error) {
      this.#parts.logger.error(`What the job ${this.#job.id} leaves could not be removed.`, error)
    }
  }

  async #renew(): Promise<void> {
    const { log, serialWrites } = this.#parts
    if (this.#renewing || (serialWrites && this.#job.progress.phase === 'writing')) return
    this.#renewing = true
    try {
      await this.#added
      this.#obey(await log.renew(this.#job))
    } catch (error) {
      // A database that is busy now may take the next sign of life.
      if (error instanceof JobCancelled) this.cancel()
      else if (error instanceof ConflictError) this.#abort.abort(error)
    } finally {
      this.#renewing = false
    }
  }

  async #store(outcome: JobOutcome): Promise<void> {
    const { log, logger } = this.#parts
    await this.#added.catch(() => undefined)
    for (let tries = 1; ; tries++) {
      try {
        this.#job = await log.finish(this.#job, outcome)
        return
      } catch (error) {
        if (tries >= mostTries || this.#closing.signal.aborted) {
          logger.error(`How the job ${this.#job.id} ended could not be stored; it will be shown as failed.`, error)
          return
        }
        await pause(renewal * tries, undefined, { signal: this.#closing.signal, ref: false }).catch(() => undefined)
      }
    }
  }
}

const lostSentence =
  'The database was restored while the job ran, or this server was silent for so long that it was taken for dead. Nothing was written; start it again.'
