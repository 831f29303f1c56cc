/** Where bytes of the log go. */
export interface ByteStream {
  write(bytes: Uint8Array): unknown
  /** Begins to write what there is, however little. */
  flush(): void
}

/**
 * Lines wait for others until there are so many characters, or milliseconds have passed. Each write wakes a thread and, when it is done, the
 * event loop: of 15,000 characters they cost a request as much as its line (measured).
 */
export const batching = { characters: 60_000, milliseconds: 100 } as const

/** Bytes that a stream waits for: at most 16,384, and less than a batch, which is written at once. */
export const streamWaits = 15_000

/**
 * Brings lines to the streams together: each stream measures and encodes what it is given, and a write for each line, or for each stream,
 * cost a sixth of a small GET (read off a profile, not measured in pairs).
 */
export class LineBatch {
  readonly #streams: readonly ByteStream[]
  readonly #timer: NodeJS.Timeout
  #lines: string[] = []
  #characters = 0
  #enough: number = batching.characters

  constructor(streams: readonly ByteStream[]) {
    this.#streams = streams
    this.#timer = setInterval(() => {
      this.flush()
      for (const stream of streams) stream.flush()
    }, batching.milliseconds).unref()
  }

  write(line: string): void {
    this.#lines.push(line)
    this.#characters += line.length
    if (this.#characters >= this.#enough) this.flush()
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
    clearInterval(this.#timer)
    this.flush()
  }
}
