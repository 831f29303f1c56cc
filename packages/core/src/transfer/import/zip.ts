import type { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'
import yauzl from 'yauzl'
import { StrongroomError, ValidationError } from '../../errors.ts'

/** The slice of yauzl 3 that is used here. */
interface ZipReader {
  openPromise(
    path: string,
    options: { readonly lazyEntries: true; readonly autoClose: false; readonly strictFileNames: true },
  ): Promise<{
    readonly entryCount: number
    readonly fileSize: number
    eachEntry(): AsyncIterable<ZipEntry>
    openReadStreamPromise(entry: ZipEntry): Promise<Readable>
    close(): void
  }>
}

interface ZipEntry {
  readonly fileName: string
  /** Bytes of the file when it is unpacked; yauzl stops the stream of one that is larger than it says here. */
  readonly uncompressedSize: number
  readonly crc32: number
  readonly versionMadeBy: number
  readonly externalFileAttributes: number
  isEncrypted(): boolean
}

/** How much an archive may hold. */
export interface ZipCaps {
  readonly entries: number
  /** Bytes of one unpacked file. */
  readonly fileBytes: number
  /** Bytes of all of them. */
  readonly totalBytes: number
  /** How many times larger than the archive they may be, beyond `freeBytes`. */
  readonly ratio: number
  readonly freeBytes: number
}

export const zipCaps: ZipCaps = {
  // A file for each table; a database with more has other troubles.
  entries: 2_000,
  // 64 GiB and 256 GiB: rows go to the disk once more before they are written, and there must be an end.
  fileBytes: 68_719_476_736,
  totalBytes: 274_877_906_944,
  // Tables come down to a fifth or a fiftieth; what deflate does at most, 1,032 to 1, is the mark of a bomb.
  ratio: 200,
  // 256 MiB: what a small archive can hold harms nobody, however well it is packed.
  freeBytes: 268_435_456,
}

/** An archive whose names and sizes were found harmless. */
export interface OpenZip {
  readonly names: readonly string[]
  /** Unpacks a file. Throws ValidationError when it is damaged, `payload_too_large` when it is larger than the archive says. */
  read(name: string): AsyncGenerator<Uint8Array, void, undefined>
  close(): void
}

/**
 * Opens an archive and looks at its names and sizes, before anything is unpacked.
 * @throws ValidationError for what is no zip, or has names that lead elsewhere, symlinks, a name twice or encrypted files;
 * StrongroomError `payload_too_large` for more than the caps
 */
export async function openZip(path: string, caps: ZipCaps): Promise<OpenZip> {
  // The types that there are describe version 2, which has no promises.
  const zip = await understood(() =>
    (yauzl as unknown as ZipReader).openPromise(path, { lazyEntries: true, autoClose: false, strictFileNames: true }),
  )
  try {
    if (zip.entryCount > caps.entries) throw tooLarge(`more than ${caps.entries} files`)
    const entries = await understood(async () => {
      const found = new Map<string, ZipEntry>()
      let total = 0
      for await (const entry of zip.eachEntry()) {
        assertHarmless(entry, found)
        total += entry.uncompressedSize
        if (entry.uncompressedSize > caps.fileBytes) throw tooLarge(`${shown(entry.fileName)}, which has more than ${caps.fileBytes} bytes`)
        if (total > caps.totalBytes) throw tooLarge(`more than ${caps.totalBytes} bytes`)
        if (total > caps.freeBytes + zip.fileSize * caps.ratio) throw tooLarge(`more than ${caps.ratio} times its own size`)
        found.set(entry.fileName, entry)
      }
      return found
    })
    return {
      names: [...entries.keys()],
      read: (name) => unpack(entries.get(name), (entry) => zip.openReadStreamPromise(entry)),
      close: () => zip.close(),
    }
  } catch (error) {
    zip.close()
    throw error
  }
}

/** In the upper half of the attributes: the type of a file in Unix, and that of a symbolic link. */
const typeMask = 0o170000
const symlink = 0o120000

function assertHarmless(entry: ZipEntry, found: ReadonlyMap<string, ZipEntry>): void {
  const { fileName } = entry
  if (found.has(fileName)) throw new ValidationError(`The archive has ${shown(fileName)} twice.`)
  if (entry.isEncrypted()) throw new ValidationError(`${shown(fileName)} is encrypted. Pack the files without a password.`)
  if (((entry.externalFileAttributes >>> 16) & typeMask) === symlink)
    throw new ValidationError(`${shown(fileName)} is a symbolic link. Pack the file itself.`)
}

async function* unpack(
  entry: ZipEntry | undefined,
  openStream: (entry: ZipEntry) => Promise<Readable>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (!entry) throw new Error('only names of the archive are read')
  const stream = await understood(() => openStream(entry))
  let sum = 0
  try {
    for await (const chunk of stream) {
      // A stream of bytes hands out Buffers.
      const bytes = chunk as Buffer
      sum = crc32(bytes, sum)
      yield bytes
    }
  } catch (error) {
    throw refusal(error)
  } finally {
    stream.destroy()
  }
  if (sum !== entry.crc32) throw new ValidationError(`${shown(entry.fileName)} is damaged: its checksum is another one.`)
}

async function understood<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw refusal(error)
  }
}

/** yauzl and zlib throw plain errors about the archive; those of the disk have a `syscall`. */
function refusal(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StrongroomError) return error
  if ('syscall' in error) return error
  if (error.message.startsWith('too many bytes')) return tooLarge('a file that is larger than it says')
  return new ValidationError(`This is no zip that can be imported: ${error.message.replace(/\.?$/, '')}.`, { cause: error })
}

function tooLarge(what: string): StrongroomError {
  return new StrongroomError('payload_too_large', `The archive holds ${what}. Nothing of it was used.`)
}

/** A name for a sentence. */
export function shown(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name
}
