import { ValidationError } from '../../errors.ts'
import { type ExportManifest, manifestName } from '../export/manifest.ts'
import { type OpenZip, shown } from './zip.ts'

/** Bytes that a manifest may have, 16 MiB: it is read into memory. */
const longestManifest = 16_777_216

/** What an import needs to know of an export. */
export type KnownManifest = Pick<ExportManifest, 'secrets'> & {
  readonly files: ReadonlyMap<string, KnownFile>
}

interface KnownFile {
  readonly table: string
  readonly component: string | null
  readonly sha256: string
  /** Columns that whoever exported could not read. */
  readonly masked: ReadonlySet<unknown>
}

/** Reads the manifest of an export, where there is one. Throws ValidationError for one that cannot be used. */
export async function readManifest(zip: OpenZip): Promise<KnownManifest | undefined> {
  if (!zip.names.includes(manifestName)) return undefined
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of zip.read(manifestName)) {
    bytes += chunk.length
    if (bytes > longestManifest) throw unusable(`has more than ${longestManifest} bytes`)
    chunks.push(chunk)
  }
  return understand(parse(Buffer.concat(chunks).toString()), zip)
}

function parse(text: string): Partial<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Told below.
  }
  throw unusable('is no JSON object')
}

function understand(manifest: Partial<Record<string, unknown>>, zip: OpenZip): KnownManifest {
  const { format, version, secrets, spreadsheet, files } = manifest
  if (format !== 'strongroom-export') throw unusable('is not that of an export')
  if (version !== 1) throw unusable(`has the version ${String(version).slice(0, 20)}; this library knows 1`)
  if (spreadsheet !== false)
    throw new ValidationError(
      'This export was made for a spreadsheet, and its cells are not the values any more. Export without `spreadsheet`.',
    )
  if (secrets !== 'mask' && secrets !== 'include') throw unusable('does not say what its secret cells are')
  if (!Array.isArray(files)) throw unusable('lists no files')
  const known = new Map(files.map((file) => fileOf(file)))
  for (const name of zip.names)
    if (name !== manifestName && !known.has(name)) throw new ValidationError(`The manifest does not know the file ${shown(name)}.`)
  for (const name of known.keys())
    if (!zip.names.includes(name)) throw new ValidationError(`The file ${shown(name)} is in the manifest, but not in the archive.`)
  return { secrets, files: known }
}

function fileOf(value: unknown): [string, KnownFile] {
  const { file, table, component, sha256, columns }: Partial<Record<string, unknown>> =
    typeof value === 'object' && value !== null ? value : {}
  const isSound =
    typeof file === 'string' &&
    typeof table === 'string' &&
    (component === null || typeof component === 'string') &&
    typeof sha256 === 'string'
  if (!isSound) throw unusable('has a file without name, table or checksum')
  const masked = Array.isArray(columns) ? columns.filter((column) => column?.masked === true).map(({ name }) => name) : []
  return [file, { table, component, sha256, masked: new Set(masked) }]
}

function unusable(why: string): ValidationError {
  return new ValidationError(`The manifest of this archive ${why}.`)
}
