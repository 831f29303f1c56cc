import type { ByteStream } from './byte-stream.ts'

/**
 * Lines wait for others until there are so many characters, or milliseconds have passed. Each write wakes a thread and, when it is done, the
 * event loop: of 15,000 characters they cost a request as much as its line (measured).
 */
export const batching = { characters: 60_000, milliseconds: 100 } as const

/**
 * Brings lines to the streams together: each stream measures and encodes what it is given, and a write for each line, or for each stream,
 * cost a sixth of a small GET (read off a profile, not measured in pairs).
 */
export class LineBatch {
  readonly #streams: readonly ByteStream[]
  #timer: NodeJS.Timeout | undefined
  #lines: string[] = []
  #characters = 0
  #enough: number = batching.characters

  constructor(streams: readonly ByteStream[]) {
    this.#streams = streams
  }

  write(line: string): void {
    this.#lines.push(line)
    this.#characters += line.length
    if (this.#characters >= this.#enough) this.flush()
    if (this.#enough > 0) this.#timer ??= this.#soon()
  }

  /** A process that has nothing to write is not woken: ten times a second took as long as a hundred requests (measured). */
  #soon(): NodeJS.Timeout {
    return setTimeout(() => {
      this.flush()
      const begun = this.#streams.filter((stream) => stream.flush())
      // One that was writing already, or could not, is told again.
      this.#timer = begun.length > 0 ? this.#soon() : undefined
    }, batching.milliseconds).unref()
  }

  /** Hands over what waits. */
  flush(): void {
    if (this.#characters === 0) return
    const bytes = Buffer.from(this.#lines.join(''))
    this.#lines = []
    this.#characters = 0
    for (const stream of this.#streams) stream.write(bytes)
  }

  /** What comes later is handed over at once. */
  close(): void {
    this.#enough = 0
    clearTimeout(this.#timer)
    this.flush()
  }
}
