import type { EventEmitter } from 'node:events'

/** Where bytes of the log go. */
export interface ByteStream {
  write(bytes: Uint8Array): unknown
  /** Begins to write what there is, however little. Answers whether there is anything. */
  flush(): boolean
}

/** The part of pino's streams that is used here. They tell of each write how many bytes it has brought to its place. */
export interface PinoStream extends EventEmitter {
  /** They take buffers in the mode in which they are opened here, which their types do not know. */
  write(bytes: never): unknown
  flush(): void
}

/** Bytes that a stream waits for: at most 16,384, and less than a batch, which is written at once. */
export const streamWaits = 15_000

/** A stream that knows whether it has something to write. */
export function counted(stream: PinoStream): ByteStream {
  let waiting = 0
  stream.on('write', (written: number) => {
    waiting -= written
  })
  return {
    write: (bytes) => {
      waiting += bytes.length
      return stream.write(bytes as never)
    },
    flush: () => {
      if (waiting === 0) return false
      stream.flush()
      return true
    },
  }
}
