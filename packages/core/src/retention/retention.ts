import { sealingContext } from '../audit/sealer.ts'
import { StorageUnavailableError, UsageError } from '../errors.ts'
import type { Job } from '../jobs/job.ts'
import type { Jobs } from '../jobs/jobs.ts'
import { retentions } from '../jobs/kinds.ts'
import type { JobTools } from '../jobs/running-job.ts'
import type { Logger } from '../logger.ts'
import { unitContext, type WriteOptions } from '../session/options.ts'
import { runTask } from '../session/task.ts'
import { repeat } from '../transfer/schedule/repeat.ts'
import { findHorizon, type Horizon, type HorizonParts } from './horizon.ts'
import type { RetentionPlan } from './read-retention.ts'
import { removePrefix } from './remove-prefix.ts'
import type { RetentionProgress, RetentionReport } from './report.ts'

type Asked = Pick<Job, 'actor' | 'requestId'>

/** What the clock asks for. */
const nobody: Asked = { actor: 'internal', requestId: null }

type RetentionTools = Pick<JobTools<RetentionProgress, RetentionReport>, 'signal' | 'onProgress'>

/** What retention stands on. */
export interface RetentionParts extends HorizonParts {
  readonly logger: Logger
  readonly plan: RetentionPlan
  readonly jobs: Pick<Jobs, 'start'>
}

/** Retention was asked for where nothing says what is to go. */
export function noRetention(): UsageError {
  return new UsageError(
    'invalid_options',
    "This storage keeps its whole log. Say how much: retention: { keep: { users: { for: '365d' } } }.",
  )
}

/** Milliseconds for one piece. */
const timeLimit = 60_000

/** Milliseconds from the start to the first look: others have work at a start. */
const firstLook = 60_000

/** Who asked for it. */
export type RetentionCaller = Pick<WriteOptions, 'actor' | 'requestId'>

/**
 * Removes what nobody wants to keep from the beginning of the log, piece by piece, so that writers have their turn in between. A look that removes
 * something, or fails in another way than the one before, leaves a job behind; one that finds nothing to remove leaves nothing, unless somebody asked for it.
 */
export class Retention {
  readonly #parts: RetentionParts
  #stop: (() => void) | undefined
  #running: Promise<RetentionReport> | undefined
  #failure: string | undefined
  #closed = false

  constructor(parts: RetentionParts) {
    this.#parts = parts
  }

  start(): void {
    const { every } = this.#parts.plan
    // A server that is started anew more often than that would never look.
    this.#stop = repeat({ first: Math.min(every, firstLook), every }, () => {
      this.look().catch((error: unknown) => {
        if (!this.#closed) this.#parts.logger.error('Entries of the audit log could not be removed.', error)
      })
    })
  }

  /** Removes now what may go, as a job. Several processes can do so at once: the head's lock lets one of them work at a time. */
  async run(caller: RetentionCaller = {}): Promise<RetentionReport> {
    const { actor, requestId } = unitContext(caller, undefined)
    while (this.#running) await this.#running.catch(() => undefined)
    return await this.#once(async () => this.#asJob({ actor, requestId }, await this.#horizon(), 0))
  }

  /** The same where nobody asked for it: there is a job once the first piece has gone. */
  look(): Promise<RetentionReport> {
    return this.#once(async () => {
      const horizon = await this.#horizon()
      const removed = await this.#firstPiece(horizon)
      return removed === 0 ? { removed, ...horizon } : await this.#asJob(nobody, horizon, removed)
    })
  }

  #once(run: () => Promise<RetentionReport>): Promise<RetentionReport> {
    this.#running ??= run().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  #horizon(): Promise<Horizon> {
    return findHorizon(this.#parts, this.#parts.plan, new Date())
  }

  /** @param removed so many entries have gone already */
  async #asJob({ actor, requestId }: Asked, horizon: Horizon, removed: number): Promise<RetentionReport> {
    const { logger, jobs } = this.#parts
    const report = Promise.withResolvers<RetentionReport>()
    const work = async ({ signal, onProgress }: RetentionTools): Promise<RetentionReport> => {
      let entries = removed
      for (let piece = 1; piece > 0; entries += piece) {
        onProgress({ phase: 'removing', entries })
        if (signal.aborted) report.resolve({ removed: entries, ...horizon })
        signal.throwIfAborted()
        piece = await this.#removePiece(horizon)
      }
      if (entries > 0) logger.info(`${entries} entries of the audit log were removed, as its retention says.`)
      return { removed: entries, ...horizon }
    }
    jobs.start({
      ...{ kind: retentions, actor, requestId },
      work: (tools) => {
        const working = work(tools)
        working.then(report.resolve, report.reject)
        return working
      },
    })
    return report.promise
  }

  async #firstPiece(horizon: Horizon): Promise<number> {
    try {
      const removed = await this.#removePiece(horizon)
      this.#failure = undefined
      return removed
    } catch (error) {
      this.#tell(error)
      throw error
    }
  }

  /** A job that has failed says what keeps the log from getting shorter. It says it once: an hourly look would bury the jobs that somebody asked for. */
  #tell(error: unknown): void {
    const said = error instanceof Error ? error.message : String(error)
    if (this.#closed || this.#failure === said) return
    this.#failure = said
    const { jobs } = this.#parts
    jobs.start({ kind: retentions, ...nobody, work: async () => Promise.reject(error) })
  }

  async #removePiece({ horizon }: Horizon): Promise<number> {
    if (this.#closed) throw new StorageUnavailableError('storage_closed', 'The storage is closed.')
    return this.#parts.log.engine.write({
      context: sealingContext,
      reach: 'every',
      alone: true,
      aside: true,
      timeLimit,
      run: (connection) => runTask(removePrefix(this.#parts, connection, horizon)),
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stop?.()
    await this.#running?.catch(() => undefined)
  }
}
