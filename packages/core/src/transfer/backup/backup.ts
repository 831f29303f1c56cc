import { stat } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { logGuard } from '../../audit/append-only.ts'
import { assertInPlace } from '../../engine/database-place.ts'
import type { DatabasePlace, Engine } from '../../engine/engine.ts'
import { portableGuard, portableTables } from '../../engine/portable-file.ts'
import { syncMeanwhile } from '../../engine/sync-meanwhile.ts'
import { UsageError } from '../../errors.ts'
import type { AnyModel } from '../../model/model.ts'
import { createTableStatements, type NamedTable, tableOf } from '../../schema/wanted-table.ts'
import { checkTarget } from '../check-target.ts'
import { filePieces } from '../file-pieces.ts'
import { placeFile, withWorkFile } from '../files.ts'
import type { Transfers } from '../transfers.ts'
import { reportOf } from '../worker/report-of.ts'
import { moduleUrl } from '../worker/run-in-worker.ts'
import type { BackupTask, CopyPlan } from './write-backup.ts'

/** How a backup is made. */
export interface BackupOptions {
  /** Ends the work, which then rejects with the signal's reason; nothing is left of it. */
  readonly signal?: AbortSignal | undefined
  /** Hears what the backup is when it is made and checked, before the first byte goes to a stream. */
  readonly onReady?: ((report: BackupReport) => void) | undefined
}

/** What a backup is. */
export interface BackupReport {
  /** Bytes of the file. */
  readonly bytes: number
  /** When its moment was taken: it holds every write that was acknowledged before. */
  readonly startedAt: Date
}

/** What a backup is made from. */
export interface BackupSource {
  readonly engine: Engine
  /** All tables, the library's own among them. */
  readonly models: readonly AnyModel[]
  readonly transfers: Transfers
  /** Tables as they stand somewhere else than where the engine has its own, which may be older ones. */
  readonly elsewhere?: { readonly place: DatabasePlace; readonly tables: readonly NamedTable[] }
}

/** Makes a backup in a file, which is there as a whole or not at all, or writes it to a stream. */
export async function backupTo(
  source: BackupSource,
  target: string | Writable,
  { signal, onReady, ...rest }: BackupOptions = {},
): Promise<BackupReport> {
  const [stranger] = Object.keys(rest)
  if (stranger !== undefined) throw new UsageError('invalid_options', `"${stranger}" is no option of backup. There are signal, onReady.`)
  await checkTarget(source.engine, target)
  const startedAt = new Date()
  const make = async (path: string): Promise<BackupReport> => {
    await makeBackup(source, path, signal)
    const report = { bytes: (await stat(path)).size, startedAt }
    onReady?.(report)
    return report
  }
  if (typeof target === 'string') {
    return placeFile(target, make)
  }
  return withWorkFile(async (path) => {
    const report = await make(path)
    await pipeline(filePieces(path), target, { signal })
    return report
  })
}

/** Makes a backup in a new file. `signal` ends it. */
export async function makeBackup(source: BackupSource, path: string, signal?: AbortSignal): Promise<void> {
  await assertInPlace(source.engine.place)
  const module = moduleUrl('./backup-worker', import.meta.url)
  await syncMeanwhile({ free: [path] }, reportOf(source.transfers, { module, task: taskOf(source, path) }, signal))
}

function taskOf({ engine, models, elsewhere }: BackupSource, target: string): BackupTask {
  const { place, tables } = elsewhere ?? { place: engine.place, tables: models.map(tableOf) }
  if (engine.capabilities.oneFile) return { place, target, gathered: undefined }
  const definitions = createTableStatements(tables, portableTables)
  const finish = portableGuard(logGuard)
  return { place, target, gathered: { definitions, finish, tables: tables.map((table) => planCopy(engine, table)) } }
}

/** Plans the copy of a table, hidden fields and all. */
export function planCopy(engine: Engine, { name, definition: { id, fields } }: NamedTable): CopyPlan {
  const columns = [[id.name, id] as const, ...Object.entries(fields)]
  const { sql, parameters } = engine.builder
    .selectFrom(name)
    .select(columns.map(([column]) => column))
    .orderBy(id.name)
    .compile()
  return {
    table: name,
    statement: { sql, parameters },
    columns: columns.map(([column, field]) => ({
      name: column,
      kind: field.type,
      ...('scale' in field && field.scale !== undefined && { scale: field.scale }),
    })),
    countedId: id.type === 'integer' ? id.name : undefined,
  }
}
