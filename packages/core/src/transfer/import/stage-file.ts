import { type FileHandle, open } from 'node:fs/promises'

/** A row that waits to be applied: its line, and its cells in the order of the columns, or what else JSON holds exactly. */
export type StagedRow = readonly [line: number, ...values: (string | number | null)[]]

/** Bytes before each chunk, which tell its length. */
const prefixLength = 4

/**
 * Rows on the disk, in chunks, as JSON: node:v8's `serialize` holds on to what it has written until the memory is gone through as a whole,
 * which cost 100 MB. The file is private and goes with its folder.
 */
export class StageFile {
  readonly #file: FileHandle
  #length = 0

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async create(path: string): Promise<StageFile> {
    return new StageFile(await open(path, 'ax+', 0o600))
  }

  get bytes(): number {
    return this.#length
  }

  async append(rows: readonly StagedRow[]): Promise<void> {
    const content = Buffer.from(JSON.stringify(rows))
    const prefix = Buffer.alloc(prefixLength)
    prefix.writeUInt32LE(content.length)
    const chunk = Buffer.concat([prefix, content])
    await this.#file.appendFile(chunk)
    this.#length += chunk.length
  }

  /** Reads the chunks from the first one on, and each while the one before it is used. */
  chunks(): ChunkReader {
    return new ChunkReader(this.#file, this.#length)
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

/** Hands out chunk after chunk, then undefined. */
export class ChunkReader {
  readonly #file: FileHandle
  readonly #length: number
  #position = 0
  #ahead: Promise<readonly StagedRow[] | undefined>

  constructor(file: FileHandle, length: number) {
    this.#file = file
    this.#length = length
    this.#ahead = this.#read()
  }

  async next(): Promise<readonly StagedRow[] | undefined> {
    const rows = await this.#ahead
    if (rows) this.#ahead = this.#read()
    return rows
  }

  #read(): Promise<readonly StagedRow[] | undefined> {
    const reading = this.#readChunk()
    // Heard of by whoever asks for the chunk, if anybody does.
    reading.catch(() => undefined)
    return reading
  }

  async #readChunk(): Promise<readonly StagedRow[] | undefined> {
    if (this.#position >= this.#length) return undefined
    const prefix = await this.#bytes(prefixLength)
    const content = await this.#bytes(prefix.readUInt32LE())
    // `append` wrote it.
    return JSON.parse(content.toString()) as readonly StagedRow[]
  }

  async #bytes(count: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(count)
    for (let filled = 0; filled < count; ) {
      const { bytesRead } = await this.#file.read(bytes, filled, count - filled, this.#position)
      if (bytesRead === 0) throw new Error('a staged file is shorter than what was written to it')
      filled += bytesRead
      this.#position += bytesRead
    }
    return bytes
  }
}
