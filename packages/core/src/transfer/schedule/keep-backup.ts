import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileOf } from '../../engine/database-place.ts'
import { removeFile } from '../../engine/remove-file.ts'
import { type BackupSource, makeBackup } from '../backup/backup.ts'
import { filePieces } from '../file-pieces.ts'
import { withWorkFolder } from '../work-folder.ts'
import { reportOf } from '../worker/report-of.ts'
import { moduleUrl } from '../worker/run-in-worker.ts'
import type { Outcome } from './backup-log.ts'
import type { BackupTarget } from './backup-target.ts'
import { patiently, type Waiting } from './patience.ts'

/** A backup that is to be kept somewhere. */
export interface Keeping extends Waiting {
  readonly source: BackupSource
  readonly target: BackupTarget
  readonly name: string
}

/** Makes a backup, keeps it in the target, reads it back and checks it. Rejects only where the signal ended it. */
export async function keepBackup(keeping: Keeping): Promise<Outcome> {
  const { signal, target, name } = keeping
  return withPrivateFolder(keeping, async (folder) => {
    let sent: { bytes: number; sha256: string }
    try {
      const made = join(folder, 'backup.sqlite')
      await makeBackup(keeping.source, made, signal)
      sent = { bytes: (await stat(made)).size, sha256: await send(keeping, made) }
      // What is read back needs the room.
      await removeFile(made)
    } catch (error) {
      signal.throwIfAborted()
      await patiently(keeping, () => target.remove(name)).catch(() => undefined)
      return { bytes: null, verified: null, error: sentence(error) }
    }
    return { bytes: sent.bytes, ...(await verify(keeping, folder, sent.sha256)) }
  })
}

/** Looks what became of a backup whose maker was lost. */
export async function settleBackup(keeping: Keeping): Promise<Outcome> {
  const { target, name } = keeping
  return withPrivateFolder(keeping, async (folder) => {
    const names = await patiently(keeping, () => target.list())
    if (!names.includes(name)) return { bytes: null, verified: null, error: 'The process that made it ended before it was done.' }
    const verdict = await verify(keeping, folder, undefined)
    const bytes = await stat(join(folder, readBackName)).catch(() => undefined)
    return { bytes: bytes?.size ?? 0, ...verdict }
  })
}

const readBackName = 'read-back.sqlite'

/** Beside the database, where there is room for a copy of it; what killed processes have left there is removed. */
async function withPrivateFolder({ source, signal }: Keeping, work: (folder: string) => Promise<Outcome>): Promise<Outcome> {
  try {
    return await withWorkFolder(fileOf(source.engine.place) ?? join(tmpdir(), 'backup'), work)
  } catch (error) {
    signal.throwIfAborted()
    return { bytes: null, verified: null, error: sentence(error) }
  }
}

async function send(keeping: Keeping, made: string): Promise<string> {
  return patiently(keeping, async (goesOn, signal) => {
    const { digest, tap } = digesting(goesOn)
    // The target hears of failures, too.
    pipeline(filePieces(made), tap, { signal }).catch(() => undefined)
    try {
      await keeping.target.write(keeping.name, tap)
      if (!tap.readableEnded) throw new Error('The target has not taken all bytes.')
      return digest()
    } finally {
      tap.destroy()
    }
  })
}

/** Passes bytes on, tells of it, and remembers their digest. */
function digesting(goesOn: () => void): { readonly tap: Transform; digest(): string } {
  const hash = createHash('sha256')
  const tap = new Transform({
    transform: (chunk: Buffer, _encoding, callback) => {
      hash.update(chunk)
      goesOn()
      callback(null, chunk)
    },
  })
  return { tap, digest: () => hash.digest('hex') }
}

/** A damaged value passes SQLite's checks, so the bytes are compared as well. */
async function verify(keeping: Keeping, folder: string, sha256: string | undefined): Promise<Pick<Outcome, 'verified' | 'error'>> {
  const { target, name, signal, source } = keeping
  const path = join(folder, readBackName)
  try {
    const found = await patiently(keeping, async (goesOn, end) => {
      const { digest, tap } = digesting(goesOn)
      const kept: Readable = await target.read(name)
      await pipeline(kept, tap, createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal: end })
      return digest()
    })
    if (sha256 !== undefined && found !== sha256) return { verified: false, error: 'What is kept is not what was written.' }
    const faults = await reportOf<string[]>(
      source.transfers,
      { module: moduleUrl('./check-backup-worker', import.meta.url), task: path },
      signal,
    )
    return faults.length === 0 ? { verified: true, error: null } : { verified: false, error: `It is damaged: ${faults.join('; ')}.` }
  } catch (error) {
    signal.throwIfAborted()
    return { verified: false, error: `It could not be checked: ${sentence(error)}` }
  }
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
