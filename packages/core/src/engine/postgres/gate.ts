import { StorageUnavailableError } from '../../errors.ts'

/** Counts what runs, so that closing can wait for it and refuse what comes later. */
export class Gate {
  #running = 0
  #closed = false
  #empty: (() => void) | undefined

  /** Lets somebody in; the function that it gives must be called once, at the end. Throws `storage_closed` after `close`. */
  enter(): () => void {
    if (this.#closed) throw storageClosed()
    this.#running++
    return () => {
      this.#running--
      if (this.#running === 0) this.#empty?.()
    }
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    const leave = this.enter()
    try {
      return await work()
    } finally {
      leave()
    }
  }

  /** Lets nobody in any more and resolves when the last one has left. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#running === 0) return
    await new Promise<void>((resolve) => {
      this.#empty = resolve
    })
  }
}

export function storageClosed(): StorageUnavailableError {
  return new StorageUnavailableError('storage_closed', 'The storage is closed.')
}
