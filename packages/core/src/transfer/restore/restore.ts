import { createWriteStream } from 'node:fs'
import { copyFile, stat, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AuditLog } from '../../audit/audit-log.ts'
import { fileOf } from '../../engine/database-place.ts'
import { openStagedFile } from '../../engine/open-staged-file.ts'
import { portableTables } from '../../engine/portable-file.ts'
import { ConflictError, SchemaMismatchError, StorageUnavailableError, StrongroomError, ValidationError } from '../../errors.ts'
import { prepareSchema } from '../../schema/prepare-schema.ts'
import { systemModels } from '../../schema/system-tables.ts'
import { createStatements } from '../../schema/wanted-table.ts'
import { unitContext, type WriteOptions } from '../../session/options.ts'
import { diskError } from '../files.ts'
import type { ExamineTask, Findings } from './examine.ts'
import { replaceContent } from './replace-content.ts'
import type { RestoreReport } from './report.ts'
import type { RestoreDeed } from './restore-entry.ts'
import { inThread, type RestoreTarget } from './restore-target.ts'
import { withWorkFolder } from './work-folder.ts'

/** How a database is restored. */
export interface RestoreOptions extends Pick<WriteOptions, 'actor' | 'requestId' | 'dryRun'> {
  /** Runs SQLite's integrity check, which reads the whole file; true unless said. */
  readonly integrityCheck?: boolean | undefined
  /** The most bytes that the file may have; any number unless said. */
  readonly maxBytes?: number | undefined
}

/** Puts a backup in the place of what the database holds. A dry run ends with the report. */
export async function restoreFrom(target: RestoreTarget, source: string | Readable, options: RestoreOptions): Promise<RestoreReport> {
  const disk = fileOf(target.engine.place) ?? join(tmpdir(), 'restore')
  try {
    return await withWorkFolder(disk, async (folder) => {
      const file = join(folder, 'upload.sqlite')
      await receive(source, file, options.maxBytes)
      const findings = await inThread<Findings>(target, './examine-worker', examineTask(target, file, options))
      refuse(findings)
      return await replaceUnlessDry(target, folder, findings, options)
    })
  } catch (error) {
    if (typeof source !== 'string') source.destroy()
    throw diskError(disk, error)
  }
}

async function receive(source: string | Readable, path: string, maxBytes = Number.POSITIVE_INFINITY): Promise<void> {
  if (typeof source === 'string') {
    const { size } = await stat(source)
    assertSize(size, maxBytes)
    // Where the file system can, this shares the blocks.
    await copyFile(source, path)
  } else {
    let bytes = 0
    const counted = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        bytes += chunk.length
        assertSize(bytes, maxBytes)
        yield chunk
      }
    }
    await pipeline(source, counted, createWriteStream(path, { flags: 'wx', mode: 0o600 }))
  }
  await assertSpace(path)
}

function assertSize(bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) throw new StrongroomError('payload_too_large', `The file is larger than the ${maxBytes} bytes that are taken.`)
}

/** The staged file, the safety copy and the write-ahead log each need about as much again. */
async function assertSpace(path: string): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path))
  const needed = (await stat(path)).size * 3
  if (bavail * bsize >= needed) return
  throw new StorageUnavailableError(
    'storage_full',
    `A restore needs ${needed} bytes beside the database, and the disk has less. Nothing was changed; make room.`,
  )
}

function examineTask({ engine, models }: RestoreTarget, path: string, options: RestoreOptions): ExamineTask {
  const all = [...systemModels, ...models]
  return {
    path,
    place: engine.place,
    liveFile: fileOf(engine.place),
    definitions: createStatements(all, portableTables),
    tables: [...models, AuditLog].map(({ name }) => name),
    integrityCheck: options.integrityCheck ?? true,
    log: { table: AuditLog.name },
  }
}

function refuse({ faults, foreign, strangers, lost }: Findings): void {
  if (faults.length > 0) throw new ValidationError(`This file cannot be restored: ${faults.slice(0, 20).join('; ')}.`)
  if (foreign) throw new ConflictError('state_conflict', 'This is a database of another application.')
  if (strangers.length > 0) {
    throw new ValidationError(`The file defines what this server does not know: ${list(strangers)}. Nothing of it was used.`)
  }
  if (lost.length === 0) return
  throw new ConflictError(
    'state_conflict',
    `The database has tables of the app's own that the file has not, and they would be lost: ${list(lost)}.`,
  )
}

function list(names: readonly string[]): string {
  return `${names.slice(0, 20).join(', ')}${names.length > 20 ? ` and ${names.length - 20} more` : ''}`
}

async function replaceUnlessDry(
  target: RestoreTarget,
  folder: string,
  findings: Findings,
  options: RestoreOptions,
): Promise<RestoreReport> {
  const { bytes, sha256, tables, since } = findings
  const staged = join(folder, 'staged.sqlite')
  const migrations = await stage(target, join(folder, 'upload.sqlite'), staged, findings)
  const told = { bytes, sha256, tables, since, migrations }
  if (options.dryRun) return { ...told, restored: false, safetyCopy: null, epoch: null }
  const deed: RestoreDeed = { context: unitContext(options, undefined), file: { bytes, sha256 } }
  const { epoch, safety } = await replaceContent(target, staged, deed)
  return { ...told, restored: true, safetyCopy: safety, epoch }
}

/** Copies the file into one that fits the live database, and brings its tables up to date. Answers what had to be done. */
async function stage(target: RestoreTarget, file: string, staged: string, findings: Findings): Promise<string[]> {
  await inThread<void>(target, './stage-worker', { live: fileOf(target.engine.place), file, staged })
  const engine = await openStagedFile(staged)
  try {
    await prepareSchema(engine, target.models, { createTables: true })
  } catch (error) {
    if (!(error instanceof SchemaMismatchError)) throw error
    throw new ConflictError('state_conflict', `The file's tables do not fit the models: ${list(error.differences)}.`)
  } finally {
    await engine.close()
  }
  return findings.tables.filter(({ inFile }) => inFile === null).map(({ table }) => `The table ${table} is made, empty.`)
}
