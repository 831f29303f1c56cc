import type { Client } from './client.ts'
import { quoteName } from './names.ts'

/** Rows on their way into a table. Nothing else may be asked of the connection until it is ended. */
export interface RowCopy {
  /** Sends rows, whose values are in the engine's own form; resolves when they have left. */
  add(rows: readonly (readonly unknown[])[]): Promise<void>
  /** Resolves when the server has taken all of them. */
  end(): Promise<void>
}

/** Adds rows by COPY: the server neither parses nor plans a statement of thousands of parameters. */
export function copyInto(client: Client, table: string, columns: readonly string[]): RowCopy {
  const copy = client.copy(`COPY ${quoteName(table)} (${columns.map(quoteName).join(', ')}) FROM STDIN`)
  const message = new CopyMessage()
  return {
    add: async (rows) => {
      for (const row of rows) message.add(row)
      await copy.send(message.take())
    },
    end: () => copy.end(),
  }
}

/** Bytes, 64 KiB: a buffer that had to hold more is not kept. */
const usualSize = 65_536

/** Of `d`, and of the length behind it, which counts itself. */
const headSize = 5

/**
 * A CopyData message (https://www.postgresql.org/docs/current/protocol-message-formats.html) with rows in the text format of
 * https://www.postgresql.org/docs/current/sql-copy.html. Its memory is used again and again: a buffer for each would wait for the
 * collector of garbage, some tens of megabytes of them at a time (measured).
 */
class CopyMessage {
  #buffer = Buffer.allocUnsafeSlow(usualSize)
  #end = headSize

  add(row: readonly unknown[]): void {
    for (let index = 0; index < row.length; index++) {
      if (index > 0) this.#write('\t')
      this.#write(copyText(row[index]))
    }
    this.#write('\n')
  }

  /** What was added since it was taken last. Its bytes are good until something is added. */
  take(): Buffer {
    const message = this.#buffer.subarray(0, this.#end)
    message.write('d', 0, 'latin1')
    message.writeInt32BE(this.#end - 1, 1)
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

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

function copyText(value: unknown): string {
  if (value === null || value === undefined) return '\\N'
  if (typeof value === 'boolean') return value ? 't' : 'f'
  if (value instanceof Uint8Array) return `\\\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  return String(value).replace(/[\\\t\n\r]/g, (character) => escapes[character] ?? '')
}
