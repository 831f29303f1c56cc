import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import type { WorkerData } from './messages.ts'

/** Milliseconds after which a turn is over. Where processors are few, whoever comes meanwhile waits for its end. */
const turn = 1

/** Milliseconds of a rest. With it the work takes a ninth of a processor, and nine times as long. */
const rest = 8

/** Milliseconds of a rest while a moment of the database is held open, which lets its log grow: seventy megabytes a second on a busy server. */
const shortRest = 2

/** Thousandths of its time that the main thread has to be at work to be busy: handing on what a thread makes takes it less. */
const busy = 250

/** How a thread sleeps, for milliseconds. */
interface Sleeps {
  readonly sleep: (milliseconds: number) => Promise<unknown>
  readonly block: (milliseconds: number) => void
}

const nobody = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
const ownSleeps: Sleeps = { sleep: pause, block: (milliseconds) => void Atomics.wait(nobody, 0, 0, milliseconds) }

/** The pace of a long piece of work in a thread of its own: turns, and rests in between while the main thread is busy. */
export class Pace {
  readonly #load: Int32Array
  readonly #sleeps: Sleeps
  #began = performance.now()

  /** @param load how busy the main thread is, in thousandths of its time */
  constructor(load: Int32Array, sleeps: Sleeps = ownSleeps) {
    this.#load = load
    this.#sleeps = sleeps
  }

  /**
   * To be called often: ends the turn, where it has lasted long enough. Requests may need the processor, or the database, that the work takes;
   * with a thread's niceness alone they would wait for it until the kernel looks again, four milliseconds on a usual one. Messages to this
   * thread get their turn, too.
   */
  async step(): Promise<void> {
    if (!this.#isOver()) return
    if (this.#isBusy()) await this.#sleeps.sleep(rest)
    else await nextTurn()
    this.#began = performance.now()
  }

  /** The same where nothing can be awaited, and nobody may be kept waiting for long. Blocks the thread. */
  stepBlocking(): void {
    if (!this.#isOver()) return
    if (this.#isBusy()) this.#sleeps.block(shortRest)
    this.#began = performance.now()
  }

  #isOver(): boolean {
    return performance.now() - this.#began >= turn
  }

  #isBusy(): boolean {
    return Atomics.load(this.#load, 0) >= busy
  }
}

/** The pace of this thread, which `runInWorker` has started. */
export const ownPace = new Pace((workerData as WorkerData | null)?.load ?? new Int32Array(1))
