import { dirname, join } from 'node:path'
import type { BoundAccessor } from '../../accessor/bound-accessor.ts'
import { AuditLog } from '../../audit/audit-log.ts'
import { InvalidQueryError, UsageError } from '../../errors.ts'
import type { WriteOptions } from '../../session/options.ts'
import type { Session } from '../../session/session.ts'
import type { Task } from '../../session/task.ts'
import type { Units } from '../../session/units.ts'
import { requireOutside } from '../../session/whole-database.ts'
import { withWorkFile } from '../files.ts'
import type { Transfers } from '../transfers.ts'
import { applyTables } from './apply.ts'
import type { ImportMode } from './columns.ts'
import { abandonSource, filesOf, type ImportSource, isSource } from './files-of.ts'
import { inNeededOrder } from './in-order.ts'
import { Faults, type ImportedTable, type ImportProgress, type ImportReport, type SkippedFile } from './report.ts'
import { closeContent, type ImportWatch, type StagedTable, stageFile } from './stage.ts'
import { type ZipCaps, zipCaps } from './zip.ts'

/** How rows are imported. */
export interface ImportOptions extends Pick<WriteOptions, 'actor' | 'requestId' | 'dryRun'> {
  /**
   * `insert` (unless said): every row is a new record. `upsert`: rows whose id is there change that record, and leave what the file has
   * no column for; of several rows with one id the last one holds.
   */
  readonly mode?: ImportMode | undefined
  /** Ends the import, which then rejects with the signal's reason; nothing is left of it. */
  readonly signal?: AbortSignal | undefined
  /** Hears how far it is, after every few hundred rows. */
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined
}

/** What an import works on. */
export interface ImportTarget {
  readonly accessors: readonly BoundAccessor[]
  /** The names of the library's own tables. */
  readonly own: ReadonlySet<string>
  readonly units: Units
  readonly transfers: Transfers
}

const optionNames = ['mode', 'dryRun', 'actor', 'requestId', 'signal', 'onProgress']

/** Somebody who keeps in the database what became of an import. */
export interface ImportRecord {
  /** The writing may begin. */
  ready(): Promise<void>
  /** Notes what was written in the unit that wrote it. Throws when it must not be committed. */
  seal(session: Session, report: ImportReport): Task<void>
}

/** Where and for whom an import runs. */
export interface ImportSetting {
  readonly caps?: ZipCaps
  readonly record?: ImportRecord
}

/** Checks all rows of the files, then writes them in one unit, or reports what is wrong. */
export async function importFrom(
  target: ImportTarget,
  source: ImportSource,
  options: ImportOptions,
  { caps = zipCaps, record }: ImportSetting = {},
): Promise<ImportReport> {
  try {
    checkImport(target, source, options)
    return await target.transfers.during(options.signal, async (signal) => {
      // Whoever waits for bytes hears of the end, too.
      signal.addEventListener('abort', () => abandonSource(source), { once: true })
      signal.throwIfAborted()
      try {
        return await withWorkFile((path) => run(target, source, options, { caps, folder: dirname(path), signal, record }))
      } catch (error) {
        throw signal.aborted ? signal.reason : error
      }
    })
  } finally {
    if (typeof source === 'object' && source !== null) abandonSource(source)
  }
}

/** Refuses what cannot be imported, or not in this way. */
export function checkImport({ units }: ImportTarget, source: unknown, { mode = 'insert', ...options }: ImportOptions): void {
  const stranger = Object.keys(options).find((name) => !optionNames.includes(name))
  if (stranger !== undefined)
    throw new UsageError('invalid_options', `"${stranger}" is no option of import. There are ${optionNames.join(', ')}.`)
  if (mode !== 'insert' && mode !== 'upsert') throw new InvalidQueryError('mode is insert or upsert.')
  if (!isSource(source)) throw new UsageError('invalid_options', 'Say what to import: a zip, or CSV files by their tables.')
  requireOutside(units, 'import')
}

interface Place {
  readonly caps: ZipCaps
  readonly folder: string
  readonly signal: AbortSignal
  readonly record: ImportRecord | undefined
}

async function run(target: ImportTarget, source: ImportSource, options: ImportOptions, place: Place): Promise<ImportReport> {
  const { folder, signal } = place
  const { mode = 'insert', dryRun = false } = options
  const faults = new Faults()
  const staged: StagedTable[] = []
  const found = await filesOf(target, source, folder, place.caps)
  try {
    const reading = watch('reading', options, signal)
    for (const file of found.files) staged.push(await stageFile(file, join(folder, `${staged.length}`), { mode }, faults, reading))
    if (faults.count > 0) return report({}, staged, found.skipped, faults, dryRun)
    const { bytes } = reading.done
    const { conflicts, ...written } = await apply(target, { staged, skipped: found.skipped, bytes }, options, place)
    if (!dryRun) await renewStatistics(staged, written)
    return report(written, staged, found.skipped, conflicts, dryRun)
  } finally {
    found.close()
    await Promise.all(staged.map(({ content }) => closeContent(content)))
  }
}

/** Rows of a table from which on it is worth a look. */
const manyRows = 10_000

/** Has the database look at tables that are not any more what it takes them for. */
async function renewStatistics(staged: readonly StagedTable[], { tables = [] }: Written): Promise<void> {
  const engine = staged[0]?.bound.table.engine
  const grown = tables.filter(({ inserted }) => inserted >= manyRows).map(({ table }) => table)
  if (grown.length === 0) return
  // The rows are there whatever becomes of this; the database looks by itself, later.
  await engine?.renewStatistics?.([...grown, AuditLog.name]).catch(() => undefined)
}

/** Bytes of staged rows, 1 MiB, that are written without a thread for it: it takes longer to start than they take to commit. */
const mostBytesHere = 1_048_576

/** Carries what conflicts out of the unit, which is rolled back for it. */
class ConflictsFound extends Error {
  readonly conflicts: Faults

  constructor(conflicts: Faults) {
    super('rows conflict')
    this.conflicts = conflicts
  }
}

/** Writes the rows in one unit. Answers no tables when rows conflict; then nothing was written. */
async function apply(
  { units }: ImportTarget,
  { staged, skipped, bytes }: { readonly staged: readonly StagedTable[]; readonly skipped: readonly SkippedFile[]; readonly bytes: number },
  options: ImportOptions,
  { folder, signal, record }: Place,
): Promise<Written & { conflicts: Faults }> {
  const { mode = 'insert', actor, requestId, dryRun = false } = options
  const write: WriteOptions = { dryRun, ...(actor !== undefined && { actor }), ...(requestId !== undefined && { requestId }) }
  const order = inNeededOrder(staged.map(({ bound }) => bound.model))
  const tables = order.flatMap((model) => staged.filter(({ bound }) => bound.model === model))
  const large = staged.reduce((bytes, { content }) => bytes + content.identified.bytes + content.counted.bytes, 0) > mostBytesHere
  let tries = 0
  await record?.ready()
  try {
    return await units.run({ write, alone: true, timeLimit: Number.POSITIVE_INFINITY, large }, function* (session) {
      // The database may ask for another try, from the start.
      const waitingPath = join(folder, `waiting-${++tries}.rows`)
      const watching = watch('writing', options, signal, bytes)
      const faults = new Faults()
      watching.progress({})
      const done = yield* applyTables(session, { tables, upsert: mode === 'upsert', faults, watch: watching, waitingPath })
      watching.check()
      if (faults.count > 0) throw new ConflictsFound(faults)
      const written = { tables: done, transactionId: session.context.unitId }
      if (record && !dryRun) yield* record.seal(session, report(written, staged, skipped, faults, false))
      return { ...written, conflicts: faults }
    })
  } catch (error) {
    if (error instanceof ConflictsFound) return { conflicts: error.conflicts }
    throw error
  }
}

/** What was written, and in which unit; nothing where rows conflict. */
interface Written {
  readonly tables?: readonly ImportedTable[]
  readonly transactionId?: string
}

function report(
  { tables, transactionId }: Written,
  staged: readonly StagedTable[],
  skipped: readonly SkippedFile[],
  faults: Faults,
  dryRun: boolean,
): ImportReport {
  const nothing = { inserted: 0, updated: 0, unchanged: 0 }
  const unwritten = staged.map(({ bound, rows }) => ({ table: bound.model.name, component: bound.component, rows, ...nothing }))
  return {
    applied: tables !== undefined && !dryRun,
    dryRun,
    transactionId: dryRun ? null : (transactionId ?? null),
    tables: tables ?? unwritten,
    skipped,
    errors: faults.first,
    errorCount: faults.count,
  }
}

type Done = Omit<ImportProgress, 'phase'>

/** `read` are the bytes that were read before. */
function watch(
  phase: ImportProgress['phase'],
  { onProgress }: ImportOptions,
  signal: AbortSignal,
  read = 0,
): ImportWatch & { readonly done: Done } {
  const done = { rows: 0, bytes: read }
  return {
    done,
    check: () => signal.throwIfAborted(),
    progress: ({ rows = 0, bytes = 0 }) => {
      done.rows += rows
      done.bytes += bytes
      onProgress?.({ phase, ...done })
    },
  }
}
