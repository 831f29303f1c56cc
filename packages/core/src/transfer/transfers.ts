import type { Readable } from 'node:stream'
import { StorageUnavailableError } from '../errors.ts'
import type { WorkerOutput } from './worker/run-in-worker.ts'

/** What goes into a storage, or is read out of it by other threads. */
export class Transfers {
  readonly #running = new Set<Readable>()
  readonly #works = new Map<Promise<unknown>, AbortController>()
  #closed = false

  /** Keeps a thread's output in mind until it ends. */
  track<Report>(start: () => WorkerOutput<Report>): WorkerOutput<Report> {
    if (this.#closed) throw closed()
    const output = start()
    this.#running.add(output.bytes)
    output.bytes.once('close', () => this.#running.delete(output.bytes))
    return output
  }

  /** Does some work whose signal ends it, when the caller's does or when the storage is closed. */
  async during<T>(caller: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#closed) throw closed()
    const own = new AbortController()
    const running = work(caller ? AbortSignal.any([caller, own.signal]) : own.signal)
    this.#works.set(running, own)
    try {
      return await running
    } finally {
      this.#works.delete(running)
    }
  }

  /** Ends them all: the database is about to be let go. */
  async close(): Promise<void> {
    this.#closed = true
    for (const own of this.#works.values()) own.abort(closed())
    await Promise.allSettled(this.#works.keys())
    await Promise.all(
      [...this.#running].map(
        (bytes) =>
          new Promise<void>((resolve) => {
            bytes.once('close', resolve)
            bytes.on('error', () => undefined)
            bytes.destroy(closed())
          }),
      ),
    )
  }
}

function closed(): StorageUnavailableError {
  return new StorageUnavailableError('storage_closed', 'The storage is closed.')
}
