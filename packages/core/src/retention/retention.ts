import { sealingContext } from '../audit/sealer.ts'
import { UsageError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { runTask } from '../session/task.ts'
import { findHorizon, type HorizonParts } from './horizon.ts'
import type { RetentionPlan } from './read-retention.ts'
import { removePrefix } from './remove-prefix.ts'

/** What a look at the log has removed. */
export interface RetentionReport {
  /** Entries that were removed. */
  readonly removed: number
}

/** What retention stands on. */
export interface RetentionParts extends HorizonParts {
  readonly logger: Logger
  readonly plan: RetentionPlan
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

/** Removes what nobody wants to keep from the beginning of the log, piece by piece, so that writers have their turn in between. */
export class Retention {
  readonly #parts: RetentionParts
  #timer: NodeJS.Timeout | undefined
  #running: Promise<RetentionReport> | undefined
  #closed = false

  constructor(parts: RetentionParts) {
    this.#parts = parts
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.run().catch((error: unknown) => this.#parts.logger.error('Entries of the audit log could not be removed.', error))
    }, this.#parts.plan.every).unref()
  }

  /** Removes now what may go. Several processes can do so at once: the head's lock lets one of them work at a time. */
  run(): Promise<RetentionReport> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #run(): Promise<RetentionReport> {
    const { plan, log, logger } = this.#parts
    const horizon = await findHorizon(this.#parts, plan, new Date())
    let removed = 0
    while (!this.#closed) {
      const count = await log.engine.write({
        context: sealingContext,
        reach: 'every',
        alone: true,
        aside: true,
        timeLimit,
        run: (connection) => runTask(removePrefix(this.#parts, connection, horizon)),
      })
      if (count === 0) break
      removed += count
    }
    if (removed > 0) logger.info(`${removed} entries of the audit log were removed, as its retention says.`)
    return { removed }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    await this.#running?.catch(() => undefined)
  }
}
