import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Engine } from '../../engine/engine.ts'
import { InvalidQueryError, UsageError } from '../../errors.ts'
import { secretMark } from '../../model/record-json.ts'
import { checkTarget } from '../check-target.ts'
import { writeWholeFile } from '../files.ts'
import type { Transfers } from '../transfers.ts'
import { moduleUrl, runInWorker } from '../worker/run-in-worker.ts'
import type { ExportManifest } from './manifest.ts'
import { type ExportedTable, planTable } from './plan.ts'
import type { ExportTask } from './write-export.ts'

/** What is exported, and how. */
export interface ExportOptions {
  /** Components or tables; all unless said. */
  readonly tables?: readonly string[] | undefined
  /** Secret fields: a mark in every cell, or their values; `mask` unless said. */
  readonly secrets?: 'mask' | 'include' | undefined
  /** Puts an apostrophe before texts that a spreadsheet would run as formulas. Such files are for reading, not for importing. */
  readonly spreadsheet?: boolean | undefined
  /** Ends the work, which then rejects with the signal's reason; of a file nothing is left. */
  readonly signal?: AbortSignal | undefined
}

/** What an export is made from. */
export interface ExportSource {
  readonly engine: Engine
  readonly tables: readonly ExportedTable[]
  readonly transfers: Transfers
}

/** Exports into a file, which is there as a whole or not at all, or into a stream. */
export async function exportTo(source: ExportSource, target: string | Writable, options: ExportOptions): Promise<ExportManifest> {
  const task = planExport(source, options)
  const { signal } = options
  await checkTarget(source.engine, target)
  signal?.throwIfAborted()
  const { bytes, report } = source.transfers.track(() => runInWorker<ExportManifest>(moduleUrl('./export-worker', import.meta.url), task))
  const end = (): void => void bytes.destroy(signal?.reason)
  signal?.addEventListener('abort', end, { once: true })
  try {
    await (typeof target === 'string' ? writeWholeFile(target, bytes) : pipeline(bytes, target))
    return await report
  } catch (error) {
    throw signal?.aborted ? signal.reason : error
  } finally {
    signal?.removeEventListener('abort', end)
    // A stream that takes nothing has not begun to read: nobody else would end the thread.
    bytes.destroy()
  }
}

const optionNames = ['tables', 'secrets', 'spreadsheet', 'signal']

function planExport({ engine, tables }: ExportSource, options: ExportOptions): ExportTask {
  const { secrets = 'mask', spreadsheet = false } = options
  const stranger = Object.keys(options).find((name) => !optionNames.includes(name))
  if (stranger !== undefined)
    throw new UsageError('invalid_options', `"${stranger}" is no option of export. There are ${optionNames.join(', ')}.`)
  if (typeof spreadsheet !== 'boolean') throw new UsageError('invalid_options', 'The option spreadsheet of export is true or false.')
  if (secrets !== 'mask' && secrets !== 'include') throw new InvalidQueryError('secrets is mask or include.')
  const mark = secrets === 'mask' ? secretMark : undefined
  return {
    place: engine.place,
    tables: chosen(tables, options.tables).map((table) => planTable(engine, table, mark)),
    secrets,
    spreadsheet,
  }
}

function chosen(tables: readonly ExportedTable[], names: ExportOptions['tables']): readonly ExportedTable[] {
  if (names === undefined) return tables
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
    throw new UsageError('invalid_options', "The option tables of export is a list of names: tables: ['users'].")
  const isMeant = ({ model, component }: ExportedTable, name: string): boolean => model.name === name || component === name
  const stranger = names.find((name) => !tables.some((table) => isMeant(table, name)))
  if (stranger !== undefined || names.length === 0) {
    const known = tables.map(({ model }) => model.name).join(', ')
    throw new InvalidQueryError(
      `${stranger === undefined ? 'tables names none' : `There is no table "${stranger.slice(0, 100)}"`}. There are ${known}.`,
    )
  }
  return tables.filter((table) => names.some((name) => isMeant(table, name)))
}
