import { StorageBusyError } from '../../errors.ts'
import type { EngineQueue } from '../engine.ts'

/** A number of places for which callers wait in line. `refusal` is what those hear who have waited for too long. */
export class Slots {
  readonly #size: number
  /** Milliseconds that a caller waits at most. */
  readonly #patience: number
  readonly #refusal: string
  /** Who waits, by when they came. */
  readonly #waiting = new Map<() => void, number>()
  #taken = 0

  constructor(
    size: number,
    patience: number,
    refusal = `All ${size} connections to the database are in use. Nothing was done; try again.`,
  ) {
    this.#size = size
    this.#patience = patience
    this.#refusal = refusal
  }

  /** Takes a place, waiting for one if need be. Throws `storage_busy` when none becomes free in time. */
  async take(): Promise<void> {
    if (this.#taken < this.#size) {
      this.#taken++
      return
    }
    await new Promise<void>((resolve, reject) => {
      const admit = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(admit)
        reject(new StorageBusyError(this.#refusal))
      }, this.#patience)
      this.#waiting.set(admit, performance.now())
    })
  }

  /** How many places are taken, and how many wait for one. */
  load(): EngineQueue {
    const now = performance.now()
    const [since = now] = this.#waiting.values()
    return { running: this.#taken, waiting: this.#waiting.size, longestWait: now - since }
  }

  /** Gives a place back: to the first in line, if somebody waits. */
  give(): void {
    const [first] = this.#waiting.keys()
    if (first) {
      this.#waiting.delete(first)
      first()
    } else this.#taken--
  }
}
