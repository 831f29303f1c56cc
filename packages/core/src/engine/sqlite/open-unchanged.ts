import { existsSync } from 'node:fs'
import { constants, copyFile, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { StorageUnavailableError, StrongroomError, UsageError, ValidationError } from '../../errors.ts'
import type { Engine } from '../engine.ts'
import { loadDriver } from './driver.ts'
import { sqliteCode } from './errors.ts'
import { type Handle, openReader } from './handle.ts'
import { Reader } from './reader.ts'
import { SqliteEngine } from './sqlite-engine.ts'
import { makeWorkFolder } from './work-folder.ts'
import { WriteLane } from './write-lane.ts'

/** Milliseconds to block for a lock: whoever looks at a file serves nobody. */
const busyTimeout = 5_000

/**
 * Opens a database file to read, and changes neither a byte of it nor what stands beside it. A file with a write-ahead log that nobody
 * has open is read in a private copy: SQLite would make, and leave, two files beside it.
 */
export async function openUnchanged(path: string): Promise<Engine> {
  const file = resolve(path)
  if (!existsSync(file)) throw new UsageError('invalid_options', `There is no database file ${file}.`)
  const driver = await loadDriver()
  const copy = (await needsFilesBeside(file)) ? await privateCopy(file) : undefined
  const open = (): Handle =>
    openReader({ driver, path: copy?.path ?? file, synchronous: 'OFF', maxPageCount: undefined, timeout: busyTimeout })
  let writer: Handle | undefined
  try {
    // Nothing can be written through it.
    writer = open()
    writer.database.prepare('SELECT count(*) FROM sqlite_schema').all([])
    const lane = new WriteLane(writer, { busyWait: 0, queueLimit: 1, maxGroup: 1, openElsewhere: () => Promise.reject(refusal()) })
    return new SqliteEngine({ path: copy?.path ?? file, writer, reader: new Reader(open), lane, afterClose: () => copy?.remove() })
  } catch (error) {
    writer?.database.close()
    copy?.remove()
    throw describe(file, error)
  }
}

/** Bytes 18 and 19 of the header say how the file is written: 2 is a write-ahead log (https://sqlite.org/fileformat.html). */
async function needsFilesBeside(path: string): Promise<boolean> {
  if (existsSync(`${path}-shm`)) return false
  const file = await open(path, 'r').catch((error: unknown) => {
    throw describe(path, error)
  })
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(20), position: 0 })
    return bytesRead === 20 && buffer[18] === 2
  } catch (error) {
    throw describe(path, error)
  } finally {
    await file.close()
  }
}

interface PrivateCopy {
  readonly path: string
  remove(): void
}

/** Undefined where somebody opened the file meanwhile: then it can be read in its place. */
async function privateCopy(path: string): Promise<PrivateCopy | undefined> {
  const folder = await makeWorkFolder(tmpdir())
  const remove = (): void => folder.removeNow()
  const target = join(folder.path, basename(path))
  try {
    // Where the file system can, this shares the blocks.
    await copyFile(path, target, constants.COPYFILE_FICLONE)
    if (existsSync(`${path}-wal`)) await copyFile(`${path}-wal`, `${target}-wal`, constants.COPYFILE_FICLONE)
  } catch (error) {
    remove()
    throw describe(path, error)
  }
  if (!existsSync(`${path}-shm`)) return { path: target, remove }
  remove()
  return undefined
}

function refusal(): UsageError {
  return new UsageError('invalid_options', 'This database is open for reading only.')
}

function describe(path: string, error: unknown): unknown {
  if (error instanceof StrongroomError) return error
  if (/NOTADB|CORRUPT/.test(sqliteCode(error) ?? ''))
    return new ValidationError(`The file ${path} is no SQLite database, or is damaged.`, { cause: error })
  const advice = 'Check that it is a file and that this process may read it'
  return new StorageUnavailableError('storage_unavailable', `The database file ${path} cannot be read. ${advice}.`, { cause: error })
}
