import type { Writable } from 'node:stream'
import type { DatabasePlace, Reach, Snapshot } from '../../engine/engine.ts'
import { openSnapshot } from '../../engine/open-snapshot.ts'
import { copyDatabaseFile } from '../../engine/portable-file.ts'
import { ownPace } from '../worker/pace.ts'
import { writeCsv } from './csv-file.ts'
import { type ExportedFile, type ExportManifest, manifestName } from './manifest.ts'
import type { TablePlan } from './plan.ts'
import type { ZipWriter } from './zip-writer.ts'

/** An export as another thread is asked for it. */
export interface ExportTask {
  readonly place: DatabasePlace
  /** Where to copy it first. */
  readonly copy: string | undefined
  /** Whose rows are read. */
  readonly reach: Reach
  readonly tables: readonly TablePlan[]
  readonly secrets: ExportManifest['secrets']
  readonly spreadsheet: boolean
}

/** Writes all tables, from one snapshot, as CSV files into a zip. Answers what stands in its manifest. */
export async function writeExport(task: ExportTask, output: Writable): Promise<ExportManifest> {
  const created_at = new Date().toISOString()
  const snapshot = await openMoment(task)
  // What packs takes five megabytes, and a copy that is made before takes the most of all: not both at a time.
  const { ZipWriter } = await import('./zip-writer.ts')
  const zip = new ZipWriter(output)
  try {
    const { spreadsheet, secrets } = task
    const files: ExportedFile[] = []
    for (const table of task.tables) files.push(await addTable(zip, snapshot, table, spreadsheet))
    const manifest: ExportManifest = { format: 'strongroom-export', version: 1, created_at, secrets, spreadsheet, files }
    const text = `${JSON.stringify(manifest, undefined, 2)}\n`
    await zip.add(manifestName, (write) => write(Buffer.from(text)))
    await zip.finish()
    return manifest
  } finally {
    zip.destroy()
    await snapshot.close()
  }
}

/** A moment of the database, or of a copy: reading that keeps nobody's log. */
async function openMoment({ place, copy, reach }: ExportTask): Promise<Snapshot> {
  if (copy === undefined) return await openSnapshot(place, reach)
  await copyDatabaseFile(place, copy, () => ownPace.stepBlocking())
  return await openSnapshot({ engine: 'sqlite', path: copy }, reach)
}

async function addTable(zip: ZipWriter, snapshot: Snapshot, plan: TablePlan, spreadsheet: boolean): Promise<ExportedFile> {
  const { table, component, columns } = plan
  const file = `${table}.csv`
  const counts = await zip.add(file, (write) => writeCsv(snapshot, plan, spreadsheet, write))
  return { file, table, component, ...counts, columns: columns.map((column) => column.described) }
}
