import { randomBytes } from 'node:crypto'
import { access, type FileHandle, open, rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { type Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { removeFile } from '../engine/remove-file.ts'
import { StorageUnavailableError, UsageError } from '../errors.ts'
import { withWorkFolder } from './work-folder.ts'

/**
 * Writes a file that is there as a whole or not at all; see `placeFile`.
 *
 * @param release whether nobody else needs the memory of what is written
 */
export async function writeWholeFile(path: string, bytes: Readable, { release = false } = {}): Promise<void> {
  // Bytes that fail while the file is being opened are told by the pipeline.
  bytes.on('error', () => undefined)
  try {
    await placeFile(path, async (partial) => {
      // A stream that opens the file itself may do so after it was removed.
      const file = await open(partial, 'r+')
      await pipeline(bytes, release ? releasingInto(file) : file.createWriteStream())
    })
  } finally {
    bytes.destroy()
  }
}

/**
 * Gives the memory of each piece back when it is written. A thread that makes little itself looks for what it does not need any more so seldom
 * that an export took 15 MB more (measured).
 */
function releasingInto(file: FileHandle): Writable {
  const write = async (piece: Buffer): Promise<void> => {
    await file.writeFile(piece)
    const { buffer } = piece
    if (buffer instanceof ArrayBuffer && buffer.byteLength === piece.byteLength) buffer.transfer(0)
  }
  return new Writable({
    write: (piece: Buffer, _encoding, done) => void write(piece).then(() => done(), done),
    destroy: (error, done) => void file.close().then(() => done(error), done),
  })
}

/**
 * Makes a file that is there as a whole or not at all, also after a power loss: under another name first, to the disk, then renamed.
 * Nobody but its owner may read it, then and before.
 *
 * @param make fills the new file at the path that it is given, which is empty
 */
export async function placeFile<T>(path: string, make: (partial: string) => Promise<T>): Promise<T> {
  const place = resolve(path)
  const partial = join(dirname(place), `.${basename(place)}.${randomBytes(6).toString('hex')}.partial`)
  try {
    // Asked first, since not everything that writes says why it cannot.
    await access(dirname(place))
    // SQLite gives a file that it makes to all.
    await (await open(partial, 'wx', 0o600)).close()
    const made = await make(partial)
    await sync(partial)
    await rename(partial, place)
    // A new name is on the disk when its folder is.
    await sync(dirname(place))
    return made
  } catch (error) {
    await removeFile(partial)
    throw diskError(place, error)
  }
}

/** Gives work the path of a file in a private folder, which is gone afterwards. */
export async function withWorkFile<T>(work: (path: string) => Promise<T>): Promise<T> {
  const place = join(tmpdir(), 'work')
  try {
    return await withWorkFolder(place, (folder) => work(join(folder, 'work')))
  } catch (error) {
    throw diskError(place, error)
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** A failure of the disk in the library's words; other errors as they are. */
export function diskError(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return new UsageError('invalid_options', `The folder of ${path} does not exist. Make it, or choose another path.`)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new StorageUnavailableError('storage_full', 'The disk is full. Nothing was left there; make room.', { cause: error })
  }
  return error
}
