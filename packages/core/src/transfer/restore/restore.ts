import { createWriteStream } from 'node:fs'
import { copyFile, stat, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { logGuard } from '../../audit/append-only.ts'
import { AuditHead, AuditLog } from '../../audit/audit-log.ts'
import { assertInPlace, fileOf } from '../../engine/database-place.ts'
import type { Engine } from '../../engine/engine.ts'
import { openStagedFile } from '../../engine/open-staged-file.ts'
import { earlierPortableGuard, earlierPortableTable, portableGuard, portableTables, type Staging } from '../../engine/portable-file.ts'
import { syncMeanwhile, type WrittenFiles } from '../../engine/sync-meanwhile.ts'
import { ConflictError, StorageUnavailableError, StrongroomError, UsageError, ValidationError } from '../../errors.ts'
import type { Migrating } from '../../schema/migrate/run-migrations.ts'
import { systemModels } from '../../schema/system-tables.ts'
import { TableRecords } from '../../schema/table-records.ts'
import { createStatements } from '../../schema/wanted-table.ts'
import { unitContext, type WriteOptions } from '../../session/options.ts'
import { checkSource } from '../check-source.ts'
import { diskError } from '../files.ts'
import { giveWay } from '../give-way.ts'
import { withWorkFolder } from '../work-folder.ts'
import { bringUp, listed } from './bring-up.ts'
import type { ExamineTask, Findings } from './examine.ts'
import { replaceContent } from './replace-content.ts'
import type { RestoreReport } from './report.ts'
import { inThread, type RestoreTarget, type Restoring } from './restore-target.ts'
import { announcerOf } from './steps.ts'

/** How a database is restored. */
export interface RestoreOptions extends Pick<WriteOptions, 'actor' | 'requestId' | 'dryRun'> {
  /** Runs SQLite's integrity check, which reads the whole file; true unless said. */
  readonly integrityCheck?: boolean | undefined
  /** The most bytes that the file may have; any number unless said. */
  readonly maxBytes?: number | undefined
}

const optionNames = ['actor', 'requestId', 'dryRun', 'integrityCheck', 'maxBytes']

/** Refuses options that there are not, and values that make no sense. Throws UsageError `invalid_options`. */
export function checkRestoreOptions(options: RestoreOptions): void {
  const refuse = (sentence: string): never => {
    throw new UsageError('invalid_options', sentence)
  }
  if (typeof options !== 'object' || options === null) refuse('The options of a restore are an object.')
  const stranger = Object.keys(options).find((name) => !optionNames.includes(name))
  if (stranger !== undefined) refuse(`"${stranger}" is no option of restore. There are ${optionNames.join(', ')}.`)
  const { maxBytes } = options
  if (maxBytes !== undefined && !(maxBytes >= 0)) refuse('The option maxBytes of restore is a number of bytes.')
  for (const name of ['dryRun', 'integrityCheck'] as const) {
    if (!['boolean', 'undefined'].includes(typeof options[name])) refuse(`The option ${name} of restore is true or false.`)
  }
}

/** Files of a restore's work folder. */
const uploadName = 'upload.sqlite'
const stagedName = 'staged.sqlite'

/** Beside which file the work folders are: where a database is a file, on its disk. */
export function workPlace({ place }: Pick<Engine, 'place'>): string {
  return fileOf(place) ?? join(tmpdir(), 'restore')
}

/** Puts a backup in the place of what the database holds. A dry run ends with the report. */
export async function restoreFrom(target: RestoreTarget, source: string | Readable, options: RestoreOptions): Promise<RestoreReport> {
  const disk = workPlace(target.engine)
  try {
    checkRestoreOptions(options)
    await checkSource(target.engine, source)
    await assertInPlace(target.engine.place)
    const context = unitContext(options, undefined)
    const restoring: Restoring = { ...target, tell: announcerOf(context.requestId) }
    const restore = async (folder: string): Promise<RestoreReport> => {
      const file = join(folder, uploadName)
      await receive(source, file, options.maxBytes)
      await assertSpace(file, fileOf(target.engine.place))
      restoring.tell('received')
      const findings = await inThread<Findings>(restoring, './examine-worker', examineTask(target, file, options))
      refuse(findings)
      restoring.tell('examined')
      const who = { actor: context.actor, ...(context.requestId !== null && { requestId: context.requestId }) }
      const report = await stage(restoring, folder, { checked: options.integrityCheck ?? true, findings, who })
      if (options.dryRun) return report
      const { bytes, sha256 } = findings
      const { epoch, safety } = await replaceContent(restoring, join(folder, stagedName), { context, file: { bytes, sha256 } })
      restoring.tell('done')
      return { ...report, restored: true, safetyCopy: safety, epoch }
    }
    return await withWorkFolder(disk, (folder) => syncMeanwhile(largeFiles(target.engine, folder), restore(folder)))
  } catch (error) {
    // Whoever writes no types can pass anything.
    if (typeof source === 'object') source?.destroy?.()
    throw diskError(disk, error)
  }
}

/** What a restore writes: the upload, the staged file, the safety copy, the live log, and at last the live file. Nobody holds locks on a log. */
function largeFiles({ place }: Engine, folder: string): WrittenFiles {
  const live = fileOf(place)
  const staged = join(folder, stagedName)
  const own = [join(folder, uploadName), staged, `${staged}-safety`]
  return live === undefined ? { free: own } : { free: [...own, `${live}-wal`], held: [live] }
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
        await giveWay()
      }
    }
    await pipeline(source, counted, createWriteStream(path, { flags: 'wx', mode: 0o600 }))
  }
}

function assertSize(bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) throw new StrongroomError('payload_too_large', `The file is larger than the ${maxBytes} bytes that are taken.`)
}

/** The staged file and the write-ahead log need as much again, the safety copy as much as the live file, which may grow. */
async function assertSpace(path: string, live: string | undefined): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path))
  const { size } = await stat(path)
  const needed = live === undefined ? size : size * 2 + Math.max(size, (await stat(live)).size)
  if (bavail * bsize >= needed) return
  throw new StorageUnavailableError(
    'storage_full',
    `A restore needs ${needed} bytes beside the database, and the disk has less. Nothing was changed; make room.`,
  )
}

function examineTask({ engine, models, modules }: RestoreTarget, path: string, options: RestoreOptions): ExamineTask {
  const all = [...systemModels, ...models]
  return {
    path,
    place: engine.place,
    liveFile: fileOf(engine.place),
    definitions: [...createStatements(all, portableTables), ...portableGuard(logGuard)],
    earlier: earlierPortableGuard(logGuard).map((guard) => [
      ...createStatements(systemModels, portableTables).map(earlierPortableTable),
      ...guard,
    ]),
    // The log's own tables too: a file from before the chain has them without its columns, an upgraded one with columns that came later.
    known: [AuditLog.name, AuditHead.name, ...models.flatMap(({ name, renamedFrom }) => [name, ...renamedFrom])],
    memory: TableRecords.name,
    tables: [...models, AuditLog].map(({ name }) => name),
    integrityCheck: options.integrityCheck ?? true,
    log: { table: AuditLog.name },
    checks: modules.flatMap(({ check }) => check ?? []),
  }
}

function refuse({ faults, foreign, strangers, lost, refusals }: Findings): void {
  if (faults.length > 0) throw new ValidationError(`This file cannot be restored: ${faults.slice(0, 20).join('; ')}.`)
  if (foreign) throw new ConflictError('state_conflict', 'This is a database of another application.')
  if (strangers.length > 0) {
    throw new ValidationError(`The file defines what this server does not know: ${listed(strangers)}. Nothing of it was used.`)
  }
  if (lost.length > 0) {
    throw new ConflictError(
      'state_conflict',
      `The database has tables of the app's own that the file has not, and they would be lost: ${listed(lost)}.`,
    )
  }
  for (const { code, sentence } of refusals) {
    throw code === 'state_conflict' ? new ConflictError(code, sentence) : new ValidationError(sentence)
  }
}

/** What was found in the file, whether all of it was looked through, and who restores it. */
interface Stage {
  readonly checked: boolean
  readonly findings: Findings
  readonly who: Migrating
}

/** Makes a file of it that fits the live database, brings its tables up to date, and looks through its log. Answers what a dry run ends with. */
async function stage(restoring: Restoring, folder: string, { checked, findings, who }: Stage): Promise<RestoreReport> {
  const staged = join(folder, stagedName)
  const task: Staging = { live: fileOf(restoring.engine.place), file: join(folder, uploadName), checked, staged }
  await inThread<void>(restoring, './stage-worker', task)
  const engine = await openStagedFile(staged)
  let report: Pick<RestoreReport, 'migrations' | 'audit'>
  try {
    const migrations = await bringUp(engine, restoring, who)
    const { ok, entries, fault } = await restoring.verify(engine)
    report = { migrations, audit: { ok, entries, fault } }
  } finally {
    await engine.close()
  }
  restoring.tell('staged')
  const { bytes, sha256, tables, since } = findings
  return { bytes, sha256, tables, since, ...report, restored: false, safetyCopy: null, epoch: null }
}
