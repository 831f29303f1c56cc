import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { BoundAccessor } from '../../accessor/bound-accessor.ts'
import { InvalidQueryError, UsageError, ValidationError } from '../../errors.ts'
import type { Field } from '../../model/model.ts'
import { checkReadable } from '../check-source.ts'
import { manifestName } from '../export/manifest.ts'
import { type KnownManifest, readManifest } from './read-manifest.ts'
import type { SkippedFile } from './report.ts'
import { type OpenZip, openZip, shown, type ZipCaps } from './zip.ts'

/** A path, or the content of a file: bytes, or text of a CSV file. */
export type ImportContent = string | Readable

/** A zip of CSV files, or CSV files by the name of their table or component. */
export type ImportSource = ImportContent | { readonly [tableOrComponent: string]: ImportContent }

/** A CSV file, and where its rows go. */
export interface ImportFile {
  /** As the report calls it. */
  readonly name: string
  readonly bound: BoundAccessor
  /** Whether cells of a field may be the mark that an export puts there. */
  readonly masked: (field: Field) => boolean
  /** Throws, at its end at the latest, when the file is not the one that was packed. */
  read(): AsyncIterable<Uint8Array>
}

/** What there is to import. */
export interface ImportFiles {
  readonly files: readonly ImportFile[]
  readonly skipped: readonly SkippedFile[]
  close(): void
}

/** What the files of an import are looked up in. */
export interface ImportTables {
  readonly accessors: readonly BoundAccessor[]
  /** The names of the library's own tables. */
  readonly own: ReadonlySet<string>
}

/**
 * Finds the files of a source and the tables that they are for.
 * @param folder a private one, for the bytes of a zip that is no file yet
 */
export async function filesOf(tables: ImportTables, source: ImportSource, folder: string, caps: ZipCaps): Promise<ImportFiles> {
  const paths = isContent(source) ? [source] : Object.values(source)
  for (const path of paths) if (typeof path === 'string') await checkReadable(path, 'import')
  if (!isContent(source)) return csvFiles(tables, source)
  if (typeof source === 'string') return await zipFiles(tables, source, caps)
  const path = join(folder, 'upload.zip')
  await pipeline(source, createWriteStream(path, { flags: 'wx', mode: 0o600 }))
  return await zipFiles(tables, path, caps)
}

/** Lets go of streams that are not wanted any more. */
export function abandonSource(source: ImportSource): void {
  const contents = isContent(source) ? [source] : Object.values(source)
  // Whoever writes no types can pass anything.
  for (const content of contents) if (typeof content === 'object') content?.destroy?.()
}

/** Whether something can be imported, as far as its form tells. */
export function isSource(source: unknown): source is ImportSource {
  const isContentLike = (content: unknown): boolean =>
    typeof content === 'string' || (typeof content === 'object' && content !== null && 'pipe' in content)
  return isContentLike(source) || (typeof source === 'object' && source !== null && Object.values(source).every(isContentLike))
}

function isContent(source: ImportSource): source is ImportContent {
  return typeof source === 'string' || typeof source.pipe === 'function'
}

function csvFiles(tables: ImportTables, source: Readonly<Record<string, ImportContent>>): ImportFiles {
  const files = Object.entries(source).map(([name, content]): ImportFile => {
    if (tables.own.has(name)) throw ownTable(name)
    const bound = boundOf(tables, name, name)
    if (!bound) throw new InvalidQueryError(`There is no table "${shown(name)}". There are ${namesOf(tables)}.`)
    return {
      name,
      bound,
      masked: ({ secret }) => secret,
      read: () => (typeof content === 'string' ? createReadStream(content) : bytesOf(content)),
    }
  })
  if (files.length === 0) throw new UsageError('invalid_options', 'There is nothing to import: give a zip, or CSV files by their tables.')
  refuseRepeats(files, (message) => new UsageError('invalid_options', message))
  return { files, skipped: [], close: () => undefined }
}

/** A stream may be one of text, as `Readable.from(['name\n', 'Ada\n'])` is. */
async function* bytesOf(content: Readable): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of content as AsyncIterable<unknown>) {
    if (typeof piece === 'string') yield Buffer.from(piece)
    else if (piece instanceof Uint8Array) yield piece
    else throw new UsageError('invalid_options', 'A stream to import gives bytes or text, and this one gives other things.')
  }
}

async function zipFiles(tables: ImportTables, path: string, caps: ZipCaps): Promise<ImportFiles> {
  const zip = await openZip(path, caps)
  try {
    const manifest = await readManifest(zip)
    const skipped: SkippedFile[] = []
    const files: ImportFile[] = []
    for (const name of zip.names) {
      if (name === manifestName) continue
      const known = manifest?.files.get(name)
      const table = known?.table ?? name.replace(/\.csv$/i, '')
      if (tables.own.has(table)) {
        if (!manifest) throw ownTable(name)
        skipped.push({ file: name, table, reason: 'is a table of the library, exported for reading' })
        continue
      }
      const bound = boundOf(tables, table, known?.component ?? table)
      if (!bound || !/\.csv$/i.test(name)) throw unknownFile(tables, name)
      files.push({
        name,
        bound,
        masked: ({ name: field, secret }) => (secret && manifest?.secrets !== 'include') || known?.masked.has(field) === true,
        read: () => unchanged(zip, name, manifest),
      })
    }
    if (files.length === 0) throw new ValidationError('The archive has no CSV file of a table.')
    refuseRepeats(files, (message) => new ValidationError(message))
    return { files, skipped, close: () => zip.close() }
  } catch (error) {
    zip.close()
    throw error
  }
}

/** The bytes of a file, held against the manifest. */
async function* unchanged(zip: OpenZip, name: string, manifest: KnownManifest | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256')
  for await (const bytes of zip.read(name)) {
    hash.update(bytes)
    yield bytes
  }
  const expected = manifest?.files.get(name)?.sha256
  if (expected === undefined || expected === hash.digest('hex')) return
  throw new ValidationError(
    `${shown(name)} was changed since it was exported: the manifest tells of another checksum. Remove ${manifestName} to import it all the same.`,
  )
}

function boundOf({ accessors }: ImportTables, table: string, component: string): BoundAccessor | undefined {
  return accessors.find(({ model }) => model.name === table) ?? accessors.find((bound) => bound.component === component)
}

function namesOf({ accessors }: ImportTables): string {
  return accessors.map(({ model }) => model.name).join(', ')
}

function refuseRepeats(files: readonly ImportFile[], refusal: (message: string) => Error): void {
  const seen = new Map<BoundAccessor, string>()
  for (const { bound, name } of files) {
    const other = seen.get(bound)
    if (other !== undefined) throw refusal(`${shown(other)} and ${shown(name)} are both for the table ${bound.model.name}.`)
    seen.set(bound, name)
  }
}

function ownTable(name: string): ValidationError {
  return new ValidationError(
    `${shown(name)} is a table of the library, such as the audit log. It is exported for reading; what is imported makes entries of its own.`,
  )
}

function unknownFile(tables: ImportTables, name: string): ValidationError {
  const known = tables.accessors.map(({ model }) => `${model.name}.csv`).join(', ')
  return new ValidationError(`${shown(name)} is no file of a table. There are ${known}.`)
}
