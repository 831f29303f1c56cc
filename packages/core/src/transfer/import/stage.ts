import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BoundAccessor } from '../../accessor/bound-accessor.ts'
import { type Column, problemWith, type ReadingRules, readHeader } from './columns.ts'
import { CsvFault, type CsvRow, readCsv } from './csv.ts'
import type { ImportFile } from './files-of.ts'
import type { Faults, ImportProgress } from './report.ts'
import { type StagedRow, StageFile } from './stage-file.ts'

/** A file whose rows were checked and wait on the disk. */
export interface StagedTable {
  readonly bound: BoundAccessor
  /** As the report calls the file. */
  readonly file: string
  /** The fields of its columns. */
  readonly fields: readonly string[]
  readonly rows: number
  readonly content: StageFile
}

/** What goes on beside the work. */
export interface ImportWatch {
  /** Throws when the import is not wanted any more. */
  check(): void
  progress(done: Partial<Omit<ImportProgress, 'phase'>>): void
}

/** Rows that are written by one statement each for the table and the log: the largest size that statements are kept for. */
const rowsAtOnce = 256

/** Characters of the cells of a chunk, 1 MiB: a chunk of large rows must not fill the memory, or stop the event loop for long. */
const mostCharacters = 1_048_576

/** Reads a file, checks each row by its model, and keeps the rows on the disk. */
export async function stageFile(
  file: ImportFile,
  path: string,
  rules: Omit<ReadingRules, 'masked'>,
  faults: Faults,
  watch: ImportWatch,
): Promise<StagedTable> {
  const content = await StageFile.create(path)
  const staging = new Staging(file, { ...rules, masked: file.masked }, faults, content)
  try {
    let bytes = 0
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of file.read()) {
        bytes += chunk.length
        yield chunk
      }
    }
    let told = 0
    let rows = 0
    for await (const batch of readCsv(counted())) {
      for (const row of batch) staging.take(row)
      await staging.flush()
      watch.progress({ rows: staging.rows - rows, bytes: bytes - told })
      rows = staging.rows
      told = bytes
      await nextTurn()
      watch.check()
    }
    await staging.end()
  } catch (error) {
    if (!(error instanceof CsvFault)) {
      await content.close()
      throw error
    }
    faults.add(file.name, error.line, '', error.message)
  }
  return { bound: file.bound, file: file.name, fields: staging.fields, rows: staging.rows, content }
}

class Staging {
  rows = 0
  readonly #file: ImportFile
  readonly #rules: ReadingRules
  readonly #faults: Faults
  readonly #content: StageFile
  readonly #mostRows: number
  /** Undefined before the header; empty when it cannot be used. */
  #columns: readonly Column[] | undefined
  #full: StagedRow[][] = []
  #chunk: StagedRow[] = []
  #characters = 0

  constructor(file: ImportFile, rules: ReadingRules, faults: Faults, content: StageFile) {
    this.#file = file
    this.#rules = rules
    this.#faults = faults
    this.#content = content
    const { engine, model } = file.bound.table
    this.#mostRows = Math.max(1, Math.min(rowsAtOnce, Math.floor(engine.capabilities.maxParameters / model.fields.length)))
  }

  get fields(): readonly string[] {
    return (this.#columns ?? []).map(({ field }) => field.name)
  }

  take({ line, cells }: CsvRow): void {
    if (this.#columns) this.#takeRow(this.#columns, line, cells)
    else this.#columns = readHeader(this.#file.bound.model, cells, this.#rules, (field, message) => this.#fault(line, field, message)) ?? []
  }

  /** Writes full chunks to the disk; nothing of a file with faults will be used. */
  async flush(): Promise<void> {
    for (const chunk of this.#full.splice(0)) if (this.#faults.count === 0) await this.#content.append(chunk)
  }

  async end(): Promise<void> {
    if (!this.#columns) this.#fault(1, '', 'has no header: the file is empty')
    this.#endChunk()
    await this.flush()
  }

  #takeRow(columns: readonly Column[], line: number, cells: CsvRow['cells']): void {
    this.rows++
    if (columns.length === 0) return
    if (cells.length !== columns.length) {
      this.#fault(line, '', `has ${cells.length} cells, and the header has ${columns.length}`)
      return
    }
    const row: [number, ...unknown[]] = [line]
    let sound = true
    columns.forEach((column, index) => {
      const cell = cells[index] ?? null
      const value = column.read(cell)
      const problem = problemWith(column, value, cell, this.#rules)
      if (problem === undefined) row.push(value)
      else this.#fault(line, column.field.name, problem)
      sound &&= problem === undefined
      this.#characters += cell?.length ?? 0
    })
    if (!sound) return
    this.#chunk.push(row)
    if (this.#chunk.length >= this.#mostRows || this.#characters >= mostCharacters) this.#endChunk()
  }

  #endChunk(): void {
    if (this.#chunk.length > 0) this.#full.push(this.#chunk)
    this.#chunk = []
    this.#characters = 0
  }

  #fault(line: number, field: string, message: string): void {
    this.#faults.add(this.#file.name, line, field, message)
  }
}
