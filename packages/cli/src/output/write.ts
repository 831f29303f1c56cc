import { createWriteStream, openSync } from 'node:fs'
import { Writable } from 'node:stream'

/** Whoever read the output does not want more of it. */
export class OutputClosed extends Error {}

/** Writes a text, and resolves when it is taken. */
export function write(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (!error) return resolve()
      reject('code' in error && error.code === 'EPIPE' ? new OutputClosed('The output was closed.') : error)
    })
  })
}

/** A stream into another one that is not ended with it: standard output. */
export function into(stream: Writable): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, callback) => void stream.write(chunk, (error) => callback(error ?? null)),
  })
}

/** A stream to a new file that nobody else may read, or the stream itself. */
export function writableAt(output: string | Writable): Writable {
  // Opened at once: a stream that is ended while it opens its file leaves it behind.
  return typeof output === 'string' ? createWriteStream(output, { fd: openSync(output, 'wx', 0o600) }) : output
}
