import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { ConflictError, type Storage, ValidationError } from '@strongroom/core'
import { parse } from 'csv-parse'
import { type Cells, type DataFile, files, recordOf } from './files.ts'

const origin = { actor: 'quickstart', requestId: 'quickstart-load' }
/** Rows in one transaction: large enough to be fast, small enough for a progress line that moves. */
const batchSize = 1000
/** Examples of cells that were stored otherwise, printed for each file; the rest is counted. Refused rows are all named. */
const noteLimit = 3

/** What became of one file. */
interface Report {
  loaded: number
  emptyCells: number
  readonly notes: string[]
  readonly refusals: string[]
}

/**
 * Loads the CSV files into an open storage, unless that was done before. The audit log knows which rows are in already, because
 * each row's entry is committed with it: a load that was interrupted goes on where it stopped, and a row that was deleted since stays deleted.
 */
export async function loadFiles({ audit }: Pick<Storage, 'audit'>, print: (line: string) => void = console.log): Promise<void> {
  for (const file of files) {
    const path = new URL(`../data/${file.name}`, import.meta.url)
    const rows = await countRows(path)
    const query = { component: file.accessor.component, operation: 'create', actor: origin.actor, request_id: origin.requestId } as const
    const before = await audit.count(query)
    if (before >= rows) continue
    const done = new Set<string>()
    if (before > 0) for await (const entry of audit.stream(query)) done.add(String(entry.record_id))
    const report = await loadFile(file, path, { rows, done, print })
    printReport(file, report, rows, print)
  }
}

async function loadFile(
  file: DataFile,
  path: URL,
  { rows, done, print }: { rows: number; done: ReadonlySet<string>; print: (line: string) => void },
): Promise<Report> {
  const report: Report = { loaded: done.size, emptyCells: 0, notes: [], refusals: [] }
  const idName = file.accessor.model.id.name
  if (done.size > 0) print(`${file.name}: ${done.size} of ${rows} rows were loaded before, going on`)
  let batch: Record<string, unknown>[] = []
  const flush = async () => {
    await insertBatch(file, batch, report)
    batch = []
    print(`${file.name}: ${report.loaded} of ${rows} rows`)
  }
  const lines: AsyncIterable<Cells> = createReadStream(path).pipe(parse({ columns: true, bom: true }))
  for await (const cells of lines) {
    if (done.has(String(cells[idName]))) continue
    const record = recordOf(file.accessor.model, cells, (note) => report.notes.push(note))
    report.emptyCells += Object.values(record).filter((value) => value === null).length
    if (batch.push(record) === batchSize) await flush()
  }
  if (batch.length > 0) await flush()
  return report
}

/** All rows at once; when one of them is refused, one by one, so that only the bad ones stay out, by name. */
async function insertBatch(file: DataFile, batch: readonly Record<string, unknown>[], report: Report): Promise<void> {
  try {
    await file.accessor.insertMany(batch, origin)
    report.loaded += batch.length
  } catch (error) {
    if (!isRefusal(error)) throw error
    if (batch.length > 1) {
      for (const record of batch) await insertBatch(file, [record], report)
      return
    }
    const [record] = batch
    report.refusals.push(`${record?.[file.accessor.model.id.name]} (${record?.['name']}): not loaded, ${error.message}`)
  }
}

const isRefusal = (error: unknown): error is Error => error instanceof ValidationError || error instanceof ConflictError

/** The files have one row a line and a header. */
async function countRows(path: URL): Promise<number> {
  const text = await readFile(path, 'latin1')
  return text.split('\n').filter((line) => line !== '').length - 1
}

function printReport(file: DataFile, { loaded, emptyCells, notes, refusals }: Report, rows: number, print: (line: string) => void): void {
  for (const note of notes.slice(0, noteLimit)) print(`${file.name}: ${note}`)
  if (notes.length > noteLimit) print(`${file.name}: and ${notes.length - noteLimit} more like these`)
  for (const refusal of refusals) print(`${file.name}: ${refusal}`)
  print(`${file.name}: ${loaded} of ${rows} rows loaded, ${refusals.length} refused, ${emptyCells} empty cells became null`)
}
