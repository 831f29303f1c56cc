import { setTimeout as pause } from 'node:timers/promises'
import { ConflictError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { makeUuid } from '../model/uuid.ts'
import type { StorageObserver } from '../session/observer.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { Job, JobOutcome } from './job.ts'
import type { JobLog, Standing } from './job-log.ts'
import type { JobKind } from './kinds.ts'
import { failureOf, isUnexpected, JobCancelled } from './outcome.ts'

/** What the work of a job is given. */
export interface JobTools<Progress extends Job['progress'], Report extends NonNullable<Job['result']>> {
  /** Ends the work. */
  readonly signal: AbortSignal
  readonly onProgress: (progress: Progress) => void
  readonly record: JobRecord<Report>
}

/** How the unit that does the work of a job ends the job, too. */
export interface JobRecord<Report> {
  /** Resolves when the job is stored. */
  readonly ready: () => Promise<void>
  readonly seal: (session: Session, report: Report) => Task<void>
}

/** What a job is to do, and for whom. */
export interface JobTask<Progress extends Job['progress'], Report extends NonNullable<Job['result']>>
  extends Pick<Job, 'actor' | 'requestId'> {
  readonly kind: JobKind<Progress, Report>
  readonly work: (tools: JobTools<Progress, Report>) => Promise<Report>
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
export class RunningJob<
  Progress extends Job['progress'] = Job['progress'],
  Report extends NonNullable<Job['result']> = NonNullable<Job['result']>,
> {
  /** Resolves when it has ended; never rejects. */
  readonly ended: Promise<void>
  /** Resolves when its end is stored, too. */
  readonly stored: Promise<void>
  readonly #parts: JobParts
  readonly #kind: JobKind<Progress, Report>
  readonly #abort = new AbortController()
  readonly #closing = new AbortController()
  #job: Job
  #added: Promise<void> = Promise.resolve()
  #renewing = false

  constructor(parts: JobParts, task: JobTask<Progress, Report>) {
    this.#parts = parts
    const { kind, actor, requestId } = task
    this.#kind = kind
    // Which kind it is says of which kind its progress and its result are.
    this.#job = {
      ...{ id: makeUuid(), kind: kind.kind, state: 'running', actor, requestId, startedAt: parts.now(), finishedAt: null },
      ...{ cancelRequested: false, progress: kind.begun, result: null, error: null },
    } as Job
    const end = Promise.withResolvers<void>()
    this.ended = end.promise
    this.stored = this.#run(task, () => end.resolve())
  }

  get job(): Job {
    return this.#job
  }

  /** Resolves when others can see it, or never will; rejects never. */
  get added(): Promise<void> {
    return this.#added.catch(() => undefined)
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

  async #run(task: JobTask<Progress, Report>, tellEnd: () => void): Promise<void> {
    this.#added = this.#parts.log.add(this.#job)
    this.#added.catch((error) => this.#abort.abort(error))
    const heart = setInterval(() => void this.#renew(), renewal).unref()
    const { outcome, isSealed } = await this.#work(task)
    clearInterval(heart)
    await this.#afterwards(task)
    if (isSealed) return this.#end(outcome, tellEnd)
    // It may be committed after all: the database knows.
    const isOpen = outcome.error?.code === 'commit_unknown'
    if (!isOpen) this.#end(outcome, tellEnd)
    await this.#store(outcome)
    if (isOpen) this.#end(this.#job.state === 'running' ? outcome : {}, tellEnd)
  }

  #end(outcome: Partial<JobOutcome>, tellEnd: () => void): void {
    this.#change(outcome)
    tellEnd()
  }

  /** What a job is made of stays of its kind. */
  #change(changed: Partial<JobOutcome> | { readonly progress: Progress }): void {
    this.#job = { ...this.#job, ...changed } as Job
  }

  #progress(report: Report): Progress {
    // As this kind has begun, and gone on.
    return this.#kind.last(this.#job.progress as Progress, report)
  }

  async #work({ work }: JobTask<Progress, Report>): Promise<{ readonly outcome: JobOutcome; readonly isSealed: boolean }> {
    const { now, logger, around } = this.#parts
    const begin = (tools: JobTools<Progress, Report>): Promise<Report> => {
      const { id, kind } = this.#job
      return around ? around({ kind: 'job', name: kind, component: null, id }, () => work(tools)) : work(tools)
    }
    try {
      const report = await begin({
        signal: this.#abort.signal,
        onProgress: (progress) => this.#change({ progress }),
        record: {
          ready: () => this.#added,
          seal: (session, report) => this.#seal(session, report),
        },
      })
      this.#change({ progress: this.#progress(report) })
      const outcome = this.#kind.outcome(report, now())
      return { outcome, isSealed: outcome.state === 'done' && this.#kind.isSealed(report) }
    } catch (error) {
      if (isUnexpected(error)) logger.error(`The job ${this.#job.id} failed.`, error)
      return { outcome: failureOf(this.#job.kind, error, now()), isSealed: false }
    }
  }

  *#seal(session: Session, report: Report): Task<void> {
    const { log, now } = this.#parts
    const sealed = { id: this.#job.id, progress: this.#progress(report) }
    this.#obey(yield* log.seal(session, sealed, this.#kind.outcome(report, now())))
  }

  /** Ends the work when it is not wanted, or not trusted, any more. */
  #obey(standing: Standing): void {
    if (standing === 'cancelled') throw new JobCancelled()
    if (standing === 'lost') throw new ConflictError('state_conflict', lostSentence)
  }

  async #afterwards({ onEnd }: Pick<JobTask<Progress, Report>, 'onEnd'>): Promise<void> {
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
