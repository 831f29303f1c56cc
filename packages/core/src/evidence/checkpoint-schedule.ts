import { type FileHandle, open, readFile } from 'node:fs/promises'
import type { Logger } from '../logger.ts'
import { repeat } from '../transfer/schedule/repeat.ts'
import { type Checkpoint, readCheckpoints } from './checkpoint.ts'

/** Where checkpoints are written to, and how often. */
export interface CheckpointPlan {
  /** A file to which a line is added for each checkpoint. */
  readonly file: string
  /** Milliseconds. */
  readonly every: number
}

export interface CheckpointScheduleParts extends CheckpointPlan {
  readonly make: () => Promise<Checkpoint>
  readonly logger: Logger
}

/** Writes checkpoints to a file, one JSON text on each line, whenever the log has gone on. */
export class CheckpointSchedule {
  readonly #parts: CheckpointScheduleParts
  #stop: (() => void) | undefined
  #running: Promise<void> | undefined
  #last: Checkpoint | undefined
  #failing = false

  constructor(parts: CheckpointScheduleParts) {
    this.#parts = parts
  }

  start(): void {
    const { every } = this.#parts
    this.#stop = repeat({ first: every, every }, () => void this.run())
    void this.run()
  }

  /** Writes a checkpoint, unless the log is where it was at the last one. Never rejects: failures are logged. */
  run(): Promise<void> {
    this.#running ??= this.#write().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Writes the last one, and ends. */
  async close(): Promise<void> {
    if (!this.#stop) return
    this.#stop()
    this.#stop = undefined
    await this.#running
    await this.run()
  }

  async #write(): Promise<void> {
    const { file, make, logger } = this.#parts
    try {
      this.#last ??= await lastIn(file)
      const checkpoint = await make()
      if (!isNewer(checkpoint, this.#last)) return
      const target = await open(file, 'a+')
      try {
        // Behind a line that was cut off a new one begins.
        await target.writeFile(`${(await endsWithin(target)) ? '\n' : ''}${JSON.stringify(checkpoint)}\n`)
        await target.datasync()
      } finally {
        await target.close()
      }
      this.#last = checkpoint
      this.#failing = false
    } catch (error) {
      // Told once: the next ones come at every interval.
      if (!this.#failing) logger.error(`No audit checkpoint could be written to ${file}. It is tried again.`, error)
      this.#failing = true
    }
  }
}

function isNewer(checkpoint: Checkpoint, last: Checkpoint | undefined): boolean {
  return !last || (['origin', 'epoch', 'size', 'public_key'] as const).some((name) => checkpoint[name] !== last[name])
}

/** Whether the file ends in the middle of a line. */
async function endsWithin(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat()
  if (size === 0) return false
  const { buffer } = await file.read({ buffer: Buffer.alloc(1), position: size - 1 })
  return buffer.toString() !== '\n'
}

async function lastIn(file: string): Promise<Checkpoint | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  // Of the first line only the beginning may have found room.
  const isBegun = text.startsWith('{') && !text.includes('}')
  return text.trim() === '' || isBegun ? undefined : readCheckpoints(text).at(-1)
}
