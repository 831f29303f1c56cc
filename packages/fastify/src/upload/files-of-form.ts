import { createWriteStream } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { StrongroomError } from '@strongroom/core'
import { formError, openForm, shown } from './open-form.ts'

/** A file of a form, on the disk. */
export interface FormFile {
  /** The name of its field. */
  readonly field: string
  /** The name that the client gave it; no path is made of it. */
  readonly name: string
  readonly mediaType: string
  readonly path: string
}

/** A file for each table, and nobody has more tables. */
const mostFiles = 1_000

/**
 * Puts the files of a form into a folder. Throws `bad_request` for a form with other fields, without a file, or one that was cut off; errors
 * of the disk as they are.
 */
export async function filesOfForm(headers: IncomingHttpHeaders, body: AsyncIterable<Uint8Array>, folder: string): Promise<FormFile[]> {
  const form = openForm(headers)
  const files: FormFile[] = []
  const streams: Readable[] = []
  const writing: Promise<void>[] = []
  const refuse = (sentence: string): void => void form.destroy(new StrongroomError('bad_request', sentence))
  form.on('file', (field, stream, name, _encoding, mediaType) => {
    if (files.length >= mostFiles) {
      // Nobody listens to it, and its errors are those of the form.
      stream.on('error', () => undefined).resume()
      return refuse(`The form has more than ${mostFiles} files.`)
    }
    const path = join(folder, `part-${files.length}`)
    files.push({ field: field ?? '', name: name ?? '', mediaType: mediaType.toLowerCase(), path })
    streams.push(stream)
    const written = pipeline(stream, createWriteStream(path, { flags: 'wx', mode: 0o600 }))
    written.catch((error) => form.destroy(error))
    writing.push(written)
  })
  form.on('field', (field) => refuse(`The form has a field "${shown(field)}" that is no file. Send files alone.`))
  try {
    await pipeline(body, form)
    await Promise.all(writing)
  } catch (error) {
    for (const stream of streams) stream.destroy(error instanceof Error ? error : undefined)
    throw formError(error)
  } finally {
    form.destroy()
    await Promise.allSettled(writing)
  }
  if (files.length === 0) throw new StrongroomError('bad_request', 'The form has no file.')
  return files
}
