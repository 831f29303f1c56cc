import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { assertInPlace } from '../../engine/database-place.ts'
import type { Engine } from '../../engine/engine.ts'
import { ForbiddenError, InvalidQueryError, UsageError } from '../../errors.ts'
import { secretMark } from '../../model/record-json.ts'
import type { CallerContext } from '../../session/context.ts'
import type { ReadOptions } from '../../session/options.ts'
import { reachOf } from '../../session/reach.ts'
import { checkTarget } from '../check-target.ts'
import { writeWholeFile } from '../files.ts'
import type { Transfers } from '../transfers.ts'
import { moduleUrl, runInWorker } from '../worker/run-in-worker.ts'
import type { ExportManifest } from './manifest.ts'
import { type ExportedTable, planTable } from './plan.ts'
import { withCopy } from './with-copy.ts'
import type { ExportTask } from './write-export.ts'

/** What is exported, and how. */
export interface ExportOptions extends ReadOptions {
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
  /** Nothing may be made beside the database, not even for a while. */
  readonly untouched?: boolean
  /** The caller of an export that says this. */
  readonly callerOf: (options: ReadOptions) => CallerContext
  /** Whole tables, as a caller may read them. */
  readonly tablesFor: (caller: CallerContext) => readonly ReadableTable[]
  readonly transfers: Transfers
}

/** A table, and whether the caller may read any of it. */
export interface ReadableTable extends ExportedTable {
  readonly closed: boolean
}

/** Exports into a file, which is there as a whole or not at all, or into a stream. */
export async function exportTo(source: ExportSource, target: string | Writable, options: ExportOptions): Promise<ExportManifest> {
  const task = planExport(source, options)
  const { signal } = options
  await checkTarget(source.engine, target)
  await assertInPlace(source.engine.place)
  signal?.throwIfAborted()
  if (source.untouched) return await run(source, target, task, signal)
  return await source.transfers.during(signal, (ending) =>
    withCopy(source.engine, (copy) => run(source, target, { ...task, copy }, ending)),
  )
}

async function run(
  { transfers }: ExportSource,
  target: string | Writable,
  task: ExportTask,
  signal?: AbortSignal,
): Promise<ExportManifest> {
  const { bytes, report } = transfers.track(() => runInWorker<ExportManifest>(moduleUrl('./export-worker', import.meta.url), task))
  const end = (): void => void bytes.destroy(signal?.reason)
  signal?.addEventListener('abort', end, { once: true })
  try {
    await (typeof target === 'string' ? writeWholeFile(target, bytes, { release: true }) : pipeline(bytes, target))
    return await report
  } catch (error) {
    throw signal?.aborted ? signal.reason : error
  } finally {
    signal?.removeEventListener('abort', end)
    // A stream that takes nothing has not begun to read: nobody else would end the thread.
    bytes.destroy()
    // Its files can be removed when it has let go of them.
    if (!bytes.closed) await new Promise((resolve) => bytes.once('close', resolve))
  }
}

const optionNames = ['tables', 'secrets', 'spreadsheet', 'signal', 'principal', 'tenant', 'access']

function planExport({ engine, callerOf, tablesFor }: ExportSource, options: ExportOptions): ExportTask {
  const { secrets = 'mask', spreadsheet = false } = options
  const stranger = Object.keys(options).find((name) => !optionNames.includes(name))
  if (stranger !== undefined)
    throw new UsageError('invalid_options', `"${stranger}" is no option of export. There are ${optionNames.join(', ')}.`)
  if (typeof spreadsheet !== 'boolean') throw new UsageError('invalid_options', 'The option spreadsheet of export is true or false.')
  if (secrets !== 'mask' && secrets !== 'include') throw new InvalidQueryError('secrets is mask or include.')
  const mark = secrets === 'mask' ? secretMark : undefined
  const { principal, tenant, access } = options
  const caller = callerOf({
    ...(principal !== undefined && { principal }),
    ...(tenant !== undefined && { tenant }),
    ...(access && { access }),
  })
  return {
    place: engine.place,
    copy: undefined,
    reach: reachOf(caller),
    tables: chosen(tablesFor(caller), options.tables).map((table) => planTable(table, caller, mark)),
    secrets,
    spreadsheet,
  }
}

/** What the caller may not read at all is left out, and refused where it is asked for. */
function chosen(tables: readonly ReadableTable[], names: ExportOptions['tables']): readonly ExportedTable[] {
  if (names === undefined) return tables.filter(({ closed }) => !closed)
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
    throw new UsageError('invalid_options', "The option tables of export is a list of names: tables: ['users'].")
  const isMeant = ({ table: { model }, component }: ExportedTable, name: string): boolean => model.name === name || component === name
  const stranger = names.find((name) => !tables.some((table) => isMeant(table, name)))
  if (stranger !== undefined || names.length === 0) {
    const known = tables.map(({ table }) => table.model.name).join(', ')
    throw new InvalidQueryError(
      `${stranger === undefined ? 'tables names none' : `There is no table "${stranger.slice(0, 100)}"`}. There are ${known}.`,
    )
  }
  const meant = tables.filter((table) => names.some((name) => isMeant(table, name)))
  const refused = meant.find(({ closed }) => closed)
  if (refused) throw new ForbiddenError(`You may not export ${refused.component ?? refused.table.model.name}.`)
  return meant
}
