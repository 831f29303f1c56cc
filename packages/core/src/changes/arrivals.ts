import type { AuditOrder } from '../audit/audit-order.ts'
import type { ArrivalOptions } from '../audit/change-events.ts'
import { sealedSignal } from '../audit/sealer.ts'
import type { Hearing, Signals } from '../engine/signals.ts'
import { StorageUnavailableError } from '../errors.ts'
import type { ChangePlace } from './change-place.ts'

/** Milliseconds between two looks for what other processes have written, where nothing tells of it. */
const look = 250

/** The same where the database tells: a signal can get lost. */
const rareLook = 2_000

/** Milliseconds: whoever waits is not woken more often, however many commit. */
const gathering = 50

/** Milliseconds for which signals are still heard when nobody waits any more. */
const lingering = 30_000

/** Milliseconds, some 24 days: a timer of Node's that is set for longer comes at once. */
const longestTimer = 2 ** 31 - 1

interface Waiter {
  readonly place: ChangePlace
  readonly end: (outcome: boolean | Error) => void
}

/** Lets readers of the feed wait for what comes after their place. One look at the log serves all of them, and nobody looks where nobody waits. */
export class Arrivals {
  readonly #order: AuditOrder
  readonly #signals: Signals | undefined
  readonly #waiters = new Set<Waiter>()
  readonly #forget: () => void
  #timer: NodeJS.Timeout | undefined
  #dueAt = Number.POSITIVE_INFINITY
  #lastLook = Number.NEGATIVE_INFINITY
  #hearing: Hearing | undefined
  #lingerer: NodeJS.Timeout | undefined
  #closed = false

  constructor(order: AuditOrder, signals: Signals | undefined) {
    this.#order = order
    this.#signals = signals
    this.#forget = order.onSealed(this.#hint)
  }

  /**
   * Waits until the log stands elsewhere than at this place. Answers whether it does: not when the time was over, or the signal came.
   * A database that is away for a while is waited for.
   */
  wait(place: ChangePlace, { timeout = Number.POSITIVE_INFINITY, signal }: ArrivalOptions): Promise<boolean> {
    if (this.#closed) return Promise.reject(closed())
    if (signal?.aborted) return Promise.resolve(false)
    return new Promise((resolve, reject) => {
      const over = (): void => waiter.end(false)
      const timer = timeout <= longestTimer ? setTimeout(over, timeout) : undefined
      const end = (outcome: boolean | Error): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', over)
        this.#waiters.delete(waiter)
        if (this.#waiters.size === 0) this.#rest()
        if (typeof outcome === 'boolean') resolve(outcome)
        else reject(outcome)
      }
      const waiter: Waiter = { place, end }
      signal?.addEventListener('abort', over, { once: true })
      this.#waiters.add(waiter)
      this.#listen()
      // Something may have come since the reader looked.
      this.#hint()
    })
  }

  /** Ends all waiting with `storage_closed`. */
  async close(): Promise<void> {
    this.#closed = true
    this.#forget()
    for (const { end } of this.#waiters) end(closed())
    clearTimeout(this.#timer)
    clearTimeout(this.#lingerer)
    await this.#hearing?.close()
  }

  readonly #hint = (): void => {
    if (this.#waiters.size > 0) this.#lookIn(Math.max(0, this.#lastLook + gathering - performance.now()))
  }

  #lookIn(milliseconds: number): void {
    const dueAt = performance.now() + milliseconds
    if (this.#closed || dueAt >= this.#dueAt) return
    this.#dueAt = dueAt
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look(), milliseconds)
  }

  async #look(): Promise<void> {
    this.#dueAt = Number.POSITIVE_INFINITY
    this.#lastLook = performance.now()
    const stand = await this.#order.head().catch(() => undefined)
    if (stand) {
      const { epoch, position } = stand
      for (const { place, end } of this.#waiters) if (place.epoch !== epoch || place.position !== position) end(true)
    }
    if (this.#waiters.size > 0) this.#lookIn(this.#hearing?.works ? rareLook : look)
  }

  #listen(): void {
    clearTimeout(this.#lingerer)
    this.#hearing ??= this.#signals?.hear(sealedSignal, this.#hint)
  }

  /** Nobody waits: nobody looks, and soon nobody listens. */
  #rest(): void {
    clearTimeout(this.#timer)
    this.#dueAt = Number.POSITIVE_INFINITY
    clearTimeout(this.#lingerer)
    if (!this.#hearing || this.#closed) return
    this.#lingerer = setTimeout(() => {
      const hearing = this.#hearing
      this.#hearing = undefined
      void hearing?.close()
    }, lingering).unref()
  }
}

function closed(): StorageUnavailableError {
  return new StorageUnavailableError('storage_closed', 'The storage is closed.')
}
