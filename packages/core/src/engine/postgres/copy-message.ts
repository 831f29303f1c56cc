import { copyText } from './copy-text.ts'

/** Bytes, 64 KiB: a buffer that had to hold more is not kept. */
const usualSize = 65_536

/** Of `d`, and of the length behind it, which counts itself. */
const headSize = 5

/**
 * A CopyData message (https://www.postgresql.org/docs/current/protocol-message-formats.html) with rows in the text format of
 * https://www.postgresql.org/docs/current/sql-copy.html. Its memory is used again and again: a buffer for each would wait for the
 * collector of garbage, some tens of megabytes of them at a time (measured).
 */
export class CopyMessage {
  #buffer = Buffer.allocUnsafeSlow(usualSize)
  #end = headSize

  /** Values in the engine's own form. They are put together first: to write each by itself takes three times as long (measured). */
  add(row: readonly unknown[]): void {
    let text = ''
    for (let index = 0; index < row.length; index++) {
      text += index === 0 ? copyText(row[index]) : `\t${copyText(row[index])}`
      if (text.length < usualSize) continue
      this.#write(text)
      text = ''
    }
    this.#write(`${text}\n`)
  }

  /** What was added since it was taken last. Its bytes are good until something is added. */
  take(): Buffer {
    const message = headed(this.#buffer.subarray(0, this.#end))
    if (this.#buffer.length > usualSize) this.#buffer = Buffer.allocUnsafeSlow(usualSize)
    this.#end = headSize
    return message
  }

  #write(text: string): void {
    // UTF-8 has three bytes at most for a unit of UTF-16.
    const most = this.#end + text.length * 3
    if (most > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#end + Buffer.byteLength(text), this.#buffer.length * 2))
      this.#buffer.copy(larger, 0, 0, this.#end)
      this.#buffer = larger
    }
    this.#end += this.#buffer.write(text, this.#end, 'utf8')
  }
}

/** The message of rows that were put together as one text: one that grows with them takes longer than all else (measured). */
export function copyMessage(text: string): Buffer {
  const message = Buffer.allocUnsafeSlow(headSize + Buffer.byteLength(text))
  message.write(text, headSize, 'utf8')
  return headed(message)
}

function headed(message: Buffer): Buffer {
  message.write('d', 0, 'latin1')
  message.writeInt32BE(message.length - 1, 1)
  return message
}
