import { createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { zipTypes } from '@strongroom/contract'
import { type ImportReceiver, InvalidQueryError, type Storage, StrongroomError, ValidationError } from '@strongroom/core'
import { type FormFile, filesOfForm } from './files-of-form.ts'
import { shown } from './open-form.ts'
import { openUpload } from './open-upload.ts'

/** What is imported, and into what. */
export interface ImportUpload {
  readonly storage: Storage
  /** Bytes of all files. */
  readonly limit: number
  /** The table or component of a body that is a CSV file. */
  readonly table: string | undefined
}

const csvType = 'text/csv'

const advice = `Send a zip, or CSV files, as files of multipart/form-data; a zip alone as ${zipTypes.join(' or ')}, a CSV file as ${csvType}.`

/**
 * Looks at the headers of an upload, and answers what receives it.
 * @throws StrongroomError `payload_too_large`, `unsupported_media_type`, `bad_request`; InvalidQueryError for a table that there is not
 */
export function receiveImport(request: IncomingMessage, { storage, limit, table }: ImportUpload): ImportReceiver {
  const { isForm, mediaType, bytes } = openUpload(request, { limit, types: [...zipTypes, csvType], advice })
  if (mediaType === csvType) {
    refuseCharset(request.headers['content-type'])
    const name = queryTable(storage, table)
    return async (folder) => ({ [name]: await put(bytes, join(folder, 'upload.csv')) })
  }
  if (table !== undefined)
    throw new InvalidQueryError(`table is for a body of ${csvType}: other files say by their names what they are for.`)
  if (!isForm) return (folder) => put(bytes, join(folder, 'upload.zip'))
  return async (folder) => sourceOf(storage, await filesOfForm(request.headers, bytes, folder))
}

async function put(bytes: AsyncIterable<Uint8Array>, path: string): Promise<string> {
  await pipeline(bytes, createWriteStream(path, { flags: 'wx', mode: 0o600 }))
  return path
}

function refuseCharset(type = ''): void {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1]?.toLowerCase()
  if (charset === undefined || charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii') return
  throw new StrongroomError('unsupported_media_type', 'Send CSV files in UTF-8.')
}

function queryTable(storage: Storage, table: string | undefined): string {
  if (table === undefined) throw new InvalidQueryError(`Say which table the rows are for: table=… There are ${tablesOf(storage)}.`)
  const name = tableOf(storage, table)
  if (name === undefined) throw new InvalidQueryError(`There is no table "${shown(table)}". There are ${tablesOf(storage)}.`)
  return name
}

/** One zip, or files by their tables. */
async function sourceOf(storage: Storage, files: readonly FormFile[]): Promise<string | Record<string, string>> {
  const zips = new Set<FormFile>()
  for (const file of files) if (await isZip(file)) zips.add(file)
  const [first] = files
  if (first && files.length === 1 && zips.has(first)) return first.path
  if (zips.size > 0) throw new ValidationError('The form has a zip beside other files. Send one zip, or CSV files.')
  const source = new Map<string, string>()
  for (const { field, name, path } of files) {
    const table = [field, name.replace(/\.csv$/i, '')].map((word) => tableOf(storage, word)).find((word) => word !== undefined)
    if (table === undefined) {
      throw new ValidationError(
        `The file "${shown(name)}" in the field "${shown(field)}" is for no table: one of the two names it. There are ${tablesOf(storage)}.`,
      )
    }
    if (source.has(table)) throw new ValidationError(`The form has two files for the table ${table}.`)
    source.set(table, path)
  }
  return Object.fromEntries(source)
}

/** How a zip begins, an empty one too. */
const zipMarks = ['PK\x03\x04', 'PK\x05\x06']

async function isZip({ name, mediaType, path }: FormFile): Promise<boolean> {
  if (zipTypes.includes(mediaType) || /\.zip$/i.test(name)) return true
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return zipMarks.includes(buffer.subarray(0, bytesRead).toString('latin1'))
  } finally {
    await file.close()
  }
}

/** The table that a name means. The library's own are refused by the import, which knows why. */
function tableOf({ accessors }: Storage, name: string): string | undefined {
  const found = accessors.find(({ model }) => model.name === name) ?? accessors.find(({ component }) => component === name)
  return found?.model.name ?? (name.startsWith('strongroom_') ? name : undefined)
}

function tablesOf({ accessors }: Storage): string {
  return accessors.map(({ model }) => model.name).join(', ')
}
