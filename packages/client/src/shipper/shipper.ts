import { randomUUID } from 'node:crypto'
import { deliver } from './deliver.ts'
import { completeLogRecord, type GivenRecord, type LogRecord } from './log-record.ts'
import { type Segment, Spool } from './spool.ts'
import { runWorkflow, type WorkflowLog } from './workflow.ts'

export interface ShipperOptions {
  /** Where records are sent: `https://logs.example.com/api/v1/logs`. */
  readonly url: string
  readonly apiKey: string
  /** A folder of this process alone, which the queue is kept in. */
  readonly folder: string
  /** The most bytes that the queue may have; the oldest records go beyond that. 64 MiB unless said. */
  readonly maxBytes?: number
  /** The most records in one request; 200 unless said, and at most 1000. */
  readonly batchSize?: number
  /** Milliseconds that a record waits for others; 1000 unless said. */
  readonly interval?: number
  /** Milliseconds within which the server has to answer; 10000 unless said. */
  readonly timeout?: number
  /** Milliseconds between tries: the first, doubled from then on up to the second; `[500, 30000]` unless said. */
  readonly backoff?: readonly [first: number, most: number]
  /** Is told what went wrong; nothing unless said. What it throws is ignored. */
  readonly onProblem?: (problem: ShipperProblem) => void
  readonly fetch?: typeof fetch
}

/** `unsent`: a try failed, and another one follows. `rejected`: the server will never take these; they are in `rejected.ndjson`. `dropped`: the queue was full, or the disk. */
export interface ShipperProblem {
  readonly kind: 'unsent' | 'rejected' | 'dropped'
  readonly records: number
  readonly reason: string
}

/**
 * Ships log records in the background. It never throws into the workflow that it tells of, and never makes it wait: `ship` hands the record to the
 * operating system and returns. What the server has not acknowledged stays in the folder, through outages and the end of the process,
 * and arrives exactly once: each record has a key of its own, and the server keeps one of each.
 *
 * @throws Error where another process that lives ships from the folder
 * @example
 * const shipper = new Shipper({ url: 'https://logs.example.com/api/v1/logs', apiKey, folder: './spool' })
 * await shipper.workflow({ ticket_id: 'T-17', workflow: 'refund', category: 'billing' }, async (log) => {
 *   log.metric('rows', 3)
 * })
 * await shipper.close()
 */
export class Shipper {
  readonly #options: Required<Omit<ShipperOptions, 'onProblem'>>
  readonly #onProblem: (problem: ShipperProblem) => void
  readonly #spool: Spool
  readonly #onExit = () => void this.flush(5000)
  #sealTimer: NodeJS.Timeout | undefined
  #retryTimer: NodeJS.Timeout | undefined
  #sending: Promise<void> | undefined
  #failures = 0
  #closed = false

  constructor({ onProblem = () => undefined, ...options }: ShipperOptions) {
    this.#options = {
      maxBytes: 64 * 1024 * 1024,
      interval: 1000,
      timeout: 10_000,
      backoff: [500, 30_000],
      fetch: globalThis.fetch,
      ...options,
      batchSize: Math.min(options.batchSize ?? 200, 1000),
    }
    this.#onProblem = (problem) => {
      try {
        onProblem(problem)
      } catch {
        // who listens must not stop the shipping
      }
    }
    const dropped = (records: number) => this.#onProblem({ kind: 'dropped', records, reason: 'the queue is full' })
    this.#spool = new Spool(options.folder, this.#options.maxBytes, dropped)
    process.on('beforeExit', this.#onExit)
    this.#send()
  }

  /** Bytes that wait to be sent. */
  get waitingBytes(): number {
    return this.#spool.bytes
  }

  /** Takes a record, to be sent in the background. It never throws; what cannot be kept is told to `onProblem`. */
  ship(record: GivenRecord): void {
    try {
      if (this.#closed) throw new Error('the shipper is closed')
      this.#spool.add(JSON.stringify({ key: randomUUID(), ...completeLogRecord(record) }))
      if (this.#spool.openRecords >= this.#options.batchSize) this.#seal()
      else this.#sealTimer ??= setTimeout(() => this.#seal(), this.#options.interval).unref()
    } catch (error) {
      this.#onProblem({ kind: 'dropped', records: 1, reason: error instanceof Error ? error.message : String(error) })
    }
  }

  /** Runs a workflow and ships a record of it: how long it took, whether it threw, and what it told meanwhile. Answers or throws what the workflow does. */
  workflow<Result>(
    about: Pick<LogRecord, 'ticket_id' | 'workflow' | 'category'>,
    work: (log: WorkflowLog) => Result | Promise<Result>,
  ): Promise<Result> {
    return runWorkflow(about, work, (record) => this.ship(record))
  }

  /**
   * Waits until everything that was taken has arrived.
   * @param limit milliseconds to wait at most; 10000 unless said
   * @returns whether it has; what has not stays in the folder
   */
  async flush(limit = 10_000): Promise<boolean> {
    this.#seal()
    const end = performance.now() + limit
    while (this.#spool.next && performance.now() < end) {
      // a try that waits for its turn is made now, and the next one not too soon
      if (!this.#sending) this.#send()
      await within(end - performance.now(), this.#sending)
      if (this.#spool.next) await within(Math.min(100, end - performance.now()))
    }
    return this.#spool.next === undefined
  }

  /** Flushes, and lets the folder go. Answers as `flush` does. */
  async close(limit = 10_000): Promise<boolean> {
    if (this.#closed) return this.#spool.next === undefined
    this.#closed = true
    process.removeListener('beforeExit', this.#onExit)
    const arrived = await this.flush(limit)
    clearTimeout(this.#retryTimer)
    this.#spool.close()
    return arrived
  }

  #seal(): void {
    clearTimeout(this.#sealTimer)
    this.#sealTimer = undefined
    try {
      this.#spool.seal()
    } catch (error) {
      this.#onProblem({ kind: 'dropped', records: 0, reason: error instanceof Error ? error.message : String(error) })
    }
    if (!this.#retryTimer) this.#send()
  }

  #send(): void {
    if (this.#sending) return
    clearTimeout(this.#retryTimer)
    this.#retryTimer = undefined
    this.#sending = this.#sendAll()
      .catch((error: unknown) => this.#later({ outcome: 'later', reason: error instanceof Error ? error.message : String(error) }, 0))
      .finally(() => {
        this.#sending = undefined
        // what was sealed while the last answer was on its way
        if (this.#spool.next && !this.#retryTimer && !this.#closed) this.#send()
      })
  }

  async #sendAll(): Promise<void> {
    for (let segment = this.#spool.next; segment; segment = this.#spool.next) {
      const lines = await this.#spool.read(segment)
      if (lines.length > 0 && !(await this.#sendLines(segment, lines))) return
      await this.#spool.remove(segment)
    }
  }

  /** Whether the records of a file are done with. */
  async #sendLines({ name }: Segment, lines: readonly string[]): Promise<boolean> {
    const key = name.slice(17, 53)
    const delivery = await deliver(this.#options, key, lines)
    if (delivery.outcome === 'arrived') {
      this.#failures = 0
      return true
    }
    if (delivery.outcome === 'later') {
      this.#later(delivery, lines.length)
      return false
    }
    return await this.#sendOneByOne(key, lines, delivery.reason)
  }

  /** One record that the server does not take must not keep the others back. */
  async #sendOneByOne(key: string, lines: readonly string[], reason: string): Promise<boolean> {
    const rejected: string[] = []
    for (const [index, line] of lines.entries()) {
      const delivery =
        lines.length === 1 ? ({ outcome: 'rejected', reason } as const) : await deliver(this.#options, `${key}-${index}`, [line])
      if (delivery.outcome === 'later') {
        this.#later(delivery, lines.length)
        return false
      }
      if (delivery.outcome === 'rejected') rejected.push(line)
    }
    await this.#spool.setAside(rejected)
    if (rejected.length > 0) this.#onProblem({ kind: 'rejected', records: rejected.length, reason })
    return true
  }

  #later({ reason, after = 0 }: { readonly outcome: 'later'; readonly reason: string; readonly after?: number }, records: number): void {
    const [first, most] = this.#options.backoff
    const wait = Math.max(after, Math.min(most, first * 2 ** this.#failures++) * (0.5 + Math.random() / 2))
    if (!this.#closed) this.#retryTimer = setTimeout(() => this.#send(), wait).unref()
    this.#onProblem({ kind: 'unsent', records, reason })
  }
}

/** Waits for something, and so many milliseconds at most; nothing is left that would keep the process. */
async function within(limit: number, work?: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(1, limit))
  })
  await Promise.race(work ? [work, over] : [over])
  clearTimeout(timer)
}
