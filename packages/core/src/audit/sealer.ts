import type { Connection } from '../engine/engine.ts'
import { StorageUnavailableError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { UnitContext } from '../session/context.ts'
import { runTask, type Task, wait } from '../session/task.ts'
import { hasPending, type LogTables, type SealedEntries, sealPending } from './seal-pending.ts'

/** Milliseconds from an entry of this process to its seal: entries of several units share one. */
const gathering = 200

/** Milliseconds between two looks for entries of others, who may have been killed before they could seal them. */
const patrol = 700

/** Milliseconds for a pass: a million entries of one import are sealed together. */
const longestPass = 600_000

/** Milliseconds for which closing a storage waits for seals: a million entries take a minute, which nobody has who ends a program. */
const closingTime = 5_000

/** Tells the processes that have the database open that entries got their positions. */
export const sealedSignal = 'strongroom_sealed'

/** The unit in which entries are sealed is nobody's. */
export const sealingContext: UnitContext = {
  principal: undefined,
  tenant: null,
  access: 'system',
  actor: 'internal',
  requestId: null,
  traceId: null,
  unitId: 'seal',
  dryRun: false,
}

/** What came of a pass that sealed something. */
export interface SealPass {
  readonly entries: number
  /** Milliseconds. */
  readonly duration: number
}

export interface SealerOptions extends LogTables {
  readonly logger: Logger
  /** Is told of each pass that sealed something. */
  readonly onSealed: (pass: SealPass) => void
  /** Milliseconds from `endSoon` to the end of whatever seals then, 5,000 unless said. */
  readonly closingTime?: number
}

/**
 * Seals the entries of a database in which units overlap. Each instance has one; the head's lock lets one of them work at a time, and
 * whichever comes next finds what others have left. What fails is tried again at the next look.
 */
export class Sealer {
  readonly #options: SealerOptions
  #timer: NodeJS.Timeout | undefined
  #dueAt = Number.POSITIVE_INFINITY
  #running: Promise<void> | undefined
  #failing = false
  #closed = false
  #ending: NodeJS.Timeout | undefined
  readonly #ended = new AbortController()

  constructor(options: SealerOptions) {
    this.#options = options
  }

  start(): void {
    this.#lookIn(0)
  }

  /** Entries were written, or are about to be: they are sealed soon. */
  readonly notePending = (): void => {
    this.#lookIn(gathering)
  }

  /** Seals what is committed now. Throws what keeps it from that. `through` as in `sealPending`. */
  async seal(through?: Date): Promise<void> {
    const tables: LogTables = this.#options
    const start = performance.now()
    const { count } = await tables.log.engine.write({
      context: sealingContext,
      reach: 'every',
      alone: true,
      aside: true,
      timeLimit: longestPass,
      // A connection that waits for somebody else's seal is given up.
      run: (connection) => untilAborted(this.#ended.signal, () => runTask(sealAll(tables, connection, through))),
    })
    if (count > 0) this.#options.onSealed({ entries: count, duration: performance.now() - start })
  }

  /** Whatever seals has so much time left. What it leaves is sealed by whoever has the database open, or opens it next. */
  endSoon(): void {
    this.#ending ??= setTimeout(
      () => this.#ended.abort(new StorageUnavailableError('storage_closed', 'The storage is closed.')),
      this.#options.closingTime ?? closingTime,
    )
  }

  /** Seals what there is, as far as there is time, and stops. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.endSoon()
    clearTimeout(this.#timer)
    await this.#running
    await this.#pass()
    clearTimeout(this.#ending)
  }

  #lookIn(milliseconds: number): void {
    const dueAt = performance.now() + milliseconds
    if (this.#closed || dueAt >= this.#dueAt) return
    this.#dueAt = dueAt
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#dueAt = Number.POSITIVE_INFINITY
      this.#running ??= this.#pass().finally(() => {
        this.#running = undefined
        this.#lookIn(patrol)
      })
    }, milliseconds).unref()
  }

  async #pass(): Promise<void> {
    try {
      await this.seal()
      this.#failing = false
    } catch (error) {
      if (this.#closed && error instanceof StorageUnavailableError && error.code === 'storage_closed')
        return this.#options.logger.info('Entries of the audit log are left for whoever opens the database next to seal.')
      // Told once: a database that is away for a while is told of by others.
      if (!this.#failing) this.#options.logger.error('Entries of the audit log could not be sealed. It is tried again.', error)
      this.#failing = true
    }
  }
}

function* sealAll(tables: LogTables, connection: Connection, through: Date | undefined): Task<SealedEntries> {
  if (through === undefined && !(yield* hasPending(tables, connection))) return { count: 0 }
  const sealed = yield* sealPending(tables, connection, through)
  if (sealed.count > 0) yield* wait(tables.log.engine.signals?.send(connection, sealedSignal))
  return sealed
}

/** What work answers, or why it is not waited for any more. */
async function untilAborted<T>(signal: AbortSignal, work: () => T | PromiseLike<T>): Promise<T> {
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const end = (): void => reject(signal.reason)
  signal.addEventListener('abort', end, { once: true })
  try {
    return await Promise.race([promise, work()])
  } finally {
    signal.removeEventListener('abort', end)
  }
}
