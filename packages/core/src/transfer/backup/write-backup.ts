import type { DatabasePlace, Snapshot, Statement, StoredKind } from '../../engine/engine.ts'
import { openSnapshot } from '../../engine/open-snapshot.ts'
import { checkPortableFile, copyDatabaseFile, makePortableFile, type PortableFile } from '../../engine/portable-file.ts'
import { StorageUnavailableError } from '../../errors.ts'
import { ownPace } from '../worker/pace.ts'

/** A table to copy, in plain data: another thread does it. */
export interface CopyPlan {
  readonly table: string
  readonly statement: Statement
  readonly columns: readonly (StoredKind & { readonly name: string })[]
  /** The column whose values the database counts. */
  readonly countedId: string | undefined
}

/** Tables that are made, filled and finished. */
interface GatheredTables {
  readonly definitions: readonly string[]
  readonly tables: readonly CopyPlan[]
  /** What comes when the rows are there: triggers. */
  readonly finish: readonly string[]
}

/** A backup as another thread is asked for it. */
export interface BackupTask {
  readonly place: DatabasePlace
  readonly target: string
  /** How to gather the tables from a database that is not one file. */
  readonly gathered: GatheredTables | undefined
}

/** Rows that are copied at a time. */
const chunkSize = 100

/** Makes a backup in a new file, and checks it. */
export async function writeBackup(task: BackupTask): Promise<void> {
  if (task.gathered) await gather(task.place, task.target, task.gathered)
  else await copyDatabaseFile(task.place, task.target, () => ownPace.stepBlocking())
  const faults = await checkPortableFile(task.target)
  if (faults.length === 0) return
  throw new StorageUnavailableError('storage_unavailable', `The backup is not whole, and was thrown away: ${faults.join('; ')}.`)
}

async function gather(place: DatabasePlace, target: string, { definitions, tables, finish }: GatheredTables): Promise<void> {
  const snapshot = await openSnapshot(place)
  try {
    const file = await makePortableFile(target)
    try {
      for (const definition of definitions) file.define(definition)
      for (const table of tables) await copyTable(snapshot, file, table)
      for (const definition of finish) file.define(definition)
    } catch (error) {
      file.abandon()
      throw error
    }
    file.finish()
  } finally {
    await snapshot.close()
  }
}

async function copyTable(snapshot: Snapshot, file: PortableFile, { table, statement, columns, countedId }: CopyPlan): Promise<void> {
  const names = columns.map(({ name }) => name)
  const converters = columns.map((column) => {
    const { decode } = snapshot.codec(column)
    const { encode } = file.codec(column)
    return (stored: unknown): unknown => (stored === null || stored === undefined ? null : encode(decode(stored)))
  })
  for await (const rows of snapshot.stream(statement, chunkSize)) {
    const copied = rows.map((row) => converters.map((convert, index) => convert(row[names[index] ?? ''])))
    file.insert(table, names, copied)
    await ownPace.step()
  }
  if (countedId !== undefined) file.setLastCountedId(table, await snapshot.lastCountedId(table, countedId))
}
