import type { StoredRow } from '../engine.ts'
import { storageClosed } from './gate.ts'

type Chunks = AsyncGenerator<StoredRow[], void, undefined>

/** The streams that somebody reads, or has left lying half-read. */
export class OpenStreams {
  readonly #open = new Set<Chunks>()

  /** Hands the chunks on. Throws `storage_closed` when the stream was ended before it was through. */
  async *read(chunks: Chunks): Chunks {
    this.#open.add(chunks)
    try {
      yield* chunks
      if (!this.#open.has(chunks)) throw storageClosed()
    } finally {
      this.#open.delete(chunks)
    }
  }

  /** Ends them all: one that nobody reads on would keep its connection, and the closing, for ever. */
  async end(): Promise<void> {
    const streams = [...this.#open]
    this.#open.clear()
    await Promise.allSettled(streams.map((chunks) => chunks.return()))
  }
}
