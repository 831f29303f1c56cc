import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { Progress } from '../output/progress.ts'
import type { Source } from '../target/target.ts'

/** The body of a request, and the headers that describe it. */
export interface Upload {
  readonly body: Readable
  readonly headers: Readonly<Record<string, string>>
}

/** How an upload is shown, and what the server does after it. */
export interface UploadWords {
  readonly progress: Progress
  readonly afterwards: string
}

/** Sends a file alone. */
export function uploadFile(source: Source, mediaType: string, words: UploadWords): Promise<Upload> {
  return uploadParts([{ head: '', source }], '', mediaType, words)
}

/** Sends files as the fields of a form (RFC 7578). */
export function uploadForm(files: ReadonlyMap<string, Source>, mediaType: string, words: UploadWords): Promise<Upload> {
  const boundary = `strongroom-${randomBytes(12).toString('hex')}`
  const parts = [...files].map(([name, source], index) => ({
    head: `${index === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"; filename="${quoted(name)}.csv"\r\nContent-Type: ${mediaType}\r\n\r\n`,
    source,
  }))
  return uploadParts(parts, `\r\n--${boundary}--\r\n`, `multipart/form-data; boundary=${boundary}`, words)
}

/** As browsers write names in a form (https://html.spec.whatwg.org/#multipart-form-data). */
function quoted(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

interface Part {
  /** What stands before the file. */
  readonly head: string
  readonly source: Source
}

async function uploadParts(parts: readonly Part[], end: string, mediaType: string, { progress, afterwards }: UploadWords): Promise<Upload> {
  const length = await lengthOf(parts, end)
  progress.step('Uploading', length)
  async function* bytes(): AsyncGenerator<Buffer, void, undefined> {
    for (const { head, source } of parts) {
      if (head !== '') yield Buffer.from(head)
      // A stream without an encoding hands out Buffers.
      for await (const chunk of (typeof source === 'string' ? createReadStream(source) : source) as AsyncIterable<Buffer>) {
        progress.advance(chunk.length)
        yield chunk
      }
    }
    if (end !== '') yield Buffer.from(end)
    progress.step(afterwards)
  }
  const body = Readable.from(bytes(), { objectMode: false })
  return { body, headers: { 'content-type': mediaType, ...(length !== undefined && { 'content-length': String(length) }) } }
}

/** Undefined where a file comes from a stream. */
async function lengthOf(parts: readonly Part[], end: string): Promise<number | undefined> {
  let length = Buffer.byteLength(end)
  for (const { head, source } of parts) {
    if (typeof source !== 'string') return undefined
    length += Buffer.byteLength(head) + (await stat(source)).size
  }
  return length
}
