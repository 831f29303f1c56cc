import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BoundAccessor, Link } from '../../accessor/bound-accessor.ts'
import { type ImportOutcome, importRecords } from '../../accessor/import-records.ts'
import { presentTargets } from '../../accessor/permit.ts'
import { missingTarget, withNamedConflicts } from '../../accessor/violation.ts'
import { ConflictError, ValidationError } from '../../errors.ts'
import type { FieldValues } from '../../query/bound-table.ts'
import { fillReferences } from '../../query/fill-references.ts'
import type { Session } from '../../session/session.ts'
import { type Task, wait } from '../../session/task.ts'
import type { Column } from './columns.ts'
import { type Faults, type ImportedTable, mostFaults } from './report.ts'
import type { ImportWatch, StagedTable } from './stage.ts'
import { type ChunkReader, type StagedRow, StageFile } from './stage-file.ts'

/** What is applied, and how. */
export interface ApplyOptions {
  /** In an order in which the tables that others need come first. */
  readonly tables: readonly StagedTable[]
  readonly upsert: boolean
  readonly faults: Faults
  readonly watch: ImportWatch
  /** The path of a file for references that wait for their targets. */
  readonly waitingPath: string
}

/** A row, and where it stands. */
interface Row {
  readonly line: number
  readonly record: FieldValues
}

/** Writes all staged rows in one session, from the first one on. Rows that conflict become faults; the caller rolls back then. */
export function* applyTables(session: Session, options: ApplyOptions): Task<readonly ImportedTable[]> {
  const waiting = yield* wait(StageFile.create(options.waitingPath))
  try {
    const apply = new Apply(session, options, waiting)
    const done: ImportedTable[] = []
    for (const table of options.tables) done.push(yield* apply.table(table))
    yield* apply.waitingReferences()
    return done
  } finally {
    yield* wait(waiting.close())
  }
}

class Apply {
  readonly #session: Session
  readonly #options: ApplyOptions
  readonly #waiting: StageFile
  /** Tables whose rows are not all there yet. */
  readonly #unfinished: Set<BoundAccessor>

  constructor(session: Session, options: ApplyOptions, waiting: StageFile) {
    this.#session = session
    this.#options = options
    this.#waiting = waiting
    this.#unfinished = new Set(options.tables.map(({ bound }) => bound))
  }

  *table(table: StagedTable): Task<ImportedTable> {
    const { bound, columns, rows, content } = table
    const counts = { inserted: 0, updated: 0, unchanged: 0 }
    const held: Row[] = []
    const writeChunk = function* (this: Apply, chunk: readonly StagedRow[]): Task<void> {
      const records = chunk.map((row) => rowOf(columns, row))
      for (const distinct of this.#withDistinctIds(bound, records)) yield* this.#rows(table, distinct, counts, held)
      this.#options.watch.progress({ rows: chunk.length })
    }
    yield* this.#eachChunk(content.identified.chunks(), writeChunk)
    yield* this.#eachChunk(content.counted.chunks(), writeChunk)
    if (held.length > 0) yield* this.#rows(table, held, counts, undefined)
    this.#unfinished.delete(bound)
    return { table: bound.model.name, component: bound.component, rows, ...counts }
  }

  /** Gives the references that waited their values: by now all rows are there. */
  *waitingReferences(): Task<void> {
    if (this.#waiting.bytes === 0) return
    yield* this.#eachChunk(this.#waiting.chunks(), function* (this: Apply, chunk: readonly StagedRow[]): Task<void> {
      const groups = Map.groupBy(chunk, ([, table, field]) => `${String(table)}.${String(field)}`)
      for (const rows of groups.values()) yield* this.#fill(rows)
    })
  }

  *#eachChunk(chunks: ChunkReader, use: (this: Apply, chunk: readonly StagedRow[]) => Task<void>): Task<void> {
    for (;;) {
      const chunk = yield* wait(chunks.next())
      if (!chunk) return
      // Each one more would be looked for row by row, while other writers wait.
      if (this.#options.faults.count >= mostFaults) return
      this.#options.watch.check()
      yield* use.call(this, chunk)
      yield* wait(nextTurn())
    }
  }

  /** In an upsert a second row with the same id changes what the first one made. */
  #withDistinctIds(bound: BoundAccessor, rows: readonly Row[]): readonly (readonly Row[])[] {
    if (!this.#options.upsert) return [rows]
    const { id } = bound.model
    const runs: Row[][] = [[]]
    let seen = new Set<unknown>()
    for (const row of rows) {
      const key = row.record[id.name]
      if (seen.has(key)) {
        runs.push([])
        seen = new Set()
      }
      if (key !== undefined) seen.add(key)
      runs.at(-1)?.push(row)
    }
    return runs
  }

  /** Writes rows together; when that fails one by one, to find out which. Those that only come too early are held where there is a list for them. */
  *#rows(
    table: StagedTable,
    rows: readonly Row[],
    counts: Record<'inserted' | 'updated' | 'unchanged', number>,
    held: Row[] | undefined,
  ): Task<void> {
    const { bound, file } = table
    const outcome = yield* this.#attempt(bound, rows)
    if (!(outcome instanceof Error)) {
      counts.inserted += outcome.inserted
      counts.updated += outcome.updated
      counts.unchanged += outcome.unchanged
      return
    }
    const [only] = rows
    if (only && rows.length === 1) {
      if (held && mayComeTooEarly(bound, outcome)) held.push(only)
      else this.#fault(file, only.line, outcome)
      return
    }
    for (const row of rows) {
      yield* this.#rows(table, [row], counts, held)
      if (this.#options.faults.count >= mostFaults) return
    }
  }

  /** Answers what is wrong with the rows, of which none is there then. */
  *#attempt(bound: BoundAccessor, rows: readonly Row[]): Task<ImportOutcome | ValidationError | ConflictError> {
    const { connection } = this.#session
    const effects = this.#session.effectCount
    yield* wait(connection.savepoint('import_rows'))
    try {
      const records = rows.map(({ record }) => record)
      const outcome = yield* importRecords(bound, this.#session, records, {
        upsert: this.#options.upsert,
        mayWait: (link) => this.#mayWait(link),
      })
      yield* wait(connection.release('import_rows'))
      yield* this.#keepWaiting(bound, rows, outcome)
      return outcome
    } catch (error) {
      if (!(error instanceof ValidationError || error instanceof ConflictError)) throw error
      yield* wait(connection.rollbackTo('import_rows'))
      this.#session.dropEffects(effects)
      return error
    }
  }

  #mayWait({ target }: Link): boolean {
    return this.#unfinished.has(target)
  }

  *#keepWaiting(bound: BoundAccessor, rows: readonly Row[], { waiting }: ImportOutcome): Task<void> {
    if (waiting.length === 0) return
    const table = this.#options.tables.findIndex((candidate) => candidate.bound === bound)
    const staged = waiting.map(({ index, id, field, value }): StagedRow => {
      // Keys are numbers or texts.
      const keys = [id, value] as [number | string, number | string]
      return [rows[index]?.line ?? 0, table, field.name, ...keys]
    })
    yield* wait(this.#waiting.append(staged))
  }

  *#fill(rows: readonly StagedRow[]): Task<void> {
    const [[, place, name] = []] = rows
    const table = this.#options.tables[Number(place)]
    const link = table?.bound.references.find(({ field }) => field.name === name)
    if (!table || !link) throw new Error('a reference waits in a table that is not imported')
    const { bound, file } = table
    const present = yield* presentTargets(this.#session, link, [...new Set(rows.map(([, , , , value]) => value))])
    const absent = rows.filter(([, , , , value]) => !present.has(value))
    for (const [line] of absent) this.#fault(file, line, missingTarget(link))
    const filled = rows.filter(([, , , , value]) => present.has(value)).map(([line, , , id, value]) => ({ line, id, value }))
    const fault = yield* this.#attemptFill(bound, link, filled)
    if (!fault) return
    for (const reference of filled) {
      const found = yield* this.#attemptFill(bound, link, [reference])
      if (found) this.#fault(file, reference.line, found)
    }
  }

  *#attemptFill(
    bound: BoundAccessor,
    { field }: Link,
    references: readonly { readonly id: unknown; readonly value: unknown }[],
  ): Task<ConflictError | undefined> {
    if (references.length === 0) return undefined
    const { connection } = this.#session
    yield* wait(connection.savepoint('import_references'))
    try {
      yield* withNamedConflicts(bound, this.#session, [], fillReferences(bound.table, connection, field.name, references))
      yield* wait(connection.release('import_references'))
      return undefined
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
      yield* wait(connection.rollbackTo('import_references'))
      return error
    }
  }

  #fault(file: string, line: number, error: ValidationError | ConflictError): void {
    const { faults } = this.#options
    if (error instanceof ValidationError) for (const { path, message } of error.issues) faults.add(file, line, path, message)
    else faults.add(file, line, error.fields.join(', '), error.message)
  }
}

function rowOf(columns: readonly Column[], [line, ...cells]: StagedRow): Row {
  const record: FieldValues = {}
  columns.forEach(({ field, read }, index) => {
    // What was staged are the cells of a file.
    const value = read(cells[index] as string | null)
    // A cell can leave its field out.
    if (value !== undefined) record[field.name] = value
  })
  return { line, record }
}

/** A reference that may neither be empty nor lead to its own record meanwhile has to wait with its row. */
function mayComeTooEarly(bound: BoundAccessor, error: Error): boolean {
  if (!(error instanceof ConflictError) || error.code !== 'reference_conflict') return false
  return bound.references.some(({ field, target }) => target === bound && !field.nullable && error.fields.includes(field.name))
}
