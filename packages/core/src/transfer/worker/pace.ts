import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import type { WorkerData } from './messages.ts'

/** Milliseconds after which a turn is over. Where processors are few, whoever comes meanwhile waits for its end. */
const turn = 1

/** Milliseconds of a rest. With it the work takes a seventh of a processor, and seven times as long. */
const rest = 6

/** Thousandths of its time that the main thread has to be at work to be busy: handing on what a thread makes takes it less. */
const busy = 250

/** The pace of a long piece of work in a thread of its own: turns, and rests in between while the main thread is busy. */
export class Pace {
  readonly #load: Int32Array
  readonly #sleep: (milliseconds: number) => Promise<unknown>
  #began = performance.now()

  /** @param load how busy the main thread is, in thousandths of its time */
  constructor(load: Int32Array, sleep: (milliseconds: number) => Promise<unknown> = pause) {
    this.#load = load
    this.#sleep = sleep
  }

  /**
   * To be called often: ends the turn, where it has lasted long enough. Requests may need the processor, or the database, that the work takes;
   * with a thread's niceness alone they would wait for it until the kernel looks again, four milliseconds on a usual one. Messages to this
   * thread get their turn, too.
   */
  async step(): Promise<void> {
    if (performance.now() - this.#began < turn) return
    if (Atomics.load(this.#load, 0) < busy) await nextTurn()
    else await this.#sleep(rest)
    this.#began = performance.now()
  }
}

/** The pace of this thread, which `runInWorker` has started. */
export const ownPace = new Pace((workerData as WorkerData | null)?.load ?? new Int32Array(1))
