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
  /** They read the cells of the rows once more. */
  readonly columns: readonly Column[]
  readonly rows: number
  readonly content: StagedContent
}

/** The rows of a table in two files. */
export interface StagedContent {
  readonly identified: StageFile
  /** Rows whose ids the database counts: they come last, and keep out of the way of the others. */
  readonly counted: StageFile
}

/** What goes on beside the work. */
export interface ImportWatch {
  /** Throws when the import is not wanted any more. */
  check(): void
  progress(done: Partial<Omit<ImportProgress, 'phase'>>): void
}

/** Rows that are staged, and later written, together. */
const rowsAtOnce = 256

/** Characters of the cells of a chunk, 1 MiB: a chunk of large rows must not fill the memory, or stop the event loop for long. */
const mostCharacters = 1_048_576

/** Reads a file, checks each row by its model, and keeps the rows on the disk. */
export async function stageFile(
  file: ImportFile,
  path: string,
  rules: Pick<ReadingRules, 'mode'>,
  faults: Faults,
  watch: ImportWatch,
): Promise<StagedTable> {
  const content = { identified: await StageFile.create(`${path}.rows`), counted: await StageFile.create(`${path}.counted`) }
  const staging = new Staging(
    file,
    { ...rules, masked: file.masked, ofTenant: file.bound.units.callerOf({}).tenant !== null },
    faults,
    content,
  )
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
      await closeContent(content)
      throw error
    }
    faults.add(file.name, error.line, '', error.message)
  }
  return { bound: file.bound, file: file.name, columns: staging.columns, rows: staging.rows, content }
}

/** Lets go of the files; they go with their folder. */
export async function closeContent({ identified, counted }: StagedContent): Promise<void> {
  await Promise.all([identified.close(), counted.close()])
}

/** Rows on their way into a file, in chunks. */
class Chunks {
  readonly #file: StageFile
  readonly #mostRows: number
  #full: StagedRow[][] = []
  #rows: StagedRow[] = []
  #characters = 0

  constructor(file: StageFile, mostRows: number) {
    this.#file = file
    this.#mostRows = mostRows
  }

  add(row: StagedRow, characters: number): void {
    this.#rows.push(row)
    this.#characters += characters
    if (this.#rows.length >= this.#mostRows || this.#characters >= mostCharacters) this.end()
  }

  end(): void {
    if (this.#rows.length > 0) this.#full.push(this.#rows)
    this.#rows = []
    this.#characters = 0
  }

  async flush(): Promise<void> {
    for (const rows of this.#full.splice(0)) await this.#file.append(rows)
  }
}

class Staging {
  rows = 0
  readonly #file: ImportFile
  readonly #rules: ReadingRules
  readonly #faults: Faults
  readonly #identified: Chunks
  readonly #counted: Chunks
  /** Undefined before the header; empty when it cannot be used. */
  #columns: readonly Column[] | undefined

  constructor(file: ImportFile, rules: ReadingRules, faults: Faults, content: StagedContent) {
    this.#file = file
    this.#rules = rules
    this.#faults = faults
    const { engine, model } = file.bound.table
    const mostRows = Math.max(1, Math.min(rowsAtOnce, Math.floor(engine.capabilities.maxParameters / model.fields.length)))
    this.#identified = new Chunks(content.identified, mostRows)
    this.#counted = new Chunks(content.counted, mostRows)
  }

  get columns(): readonly Column[] {
    return this.#columns ?? []
  }

  take({ line, cells }: CsvRow): void {
    if (this.#columns) this.#takeRow(this.#columns, line, cells)
    else this.#columns = readHeader(this.#file.bound.model, cells, this.#rules, (field, message) => this.#fault(line, field, message)) ?? []
  }

  /** Writes full chunks to the disk; nothing of a file with faults will be used. */
  async flush(): Promise<void> {
    if (this.#faults.count > 0) return
    await this.#identified.flush()
    await this.#counted.flush()
  }

  async end(): Promise<void> {
    if (!this.#columns) this.#fault(1, '', 'has no header: the file is empty')
    this.#identified.end()
    this.#counted.end()
    await this.flush()
  }

  #takeRow(columns: readonly Column[], line: number, cells: CsvRow['cells']): void {
    this.rows++
    if (columns.length === 0) return
    if (cells.length !== columns.length) {
      this.#fault(line, '', `has ${cells.length} cells, and the header has ${columns.length}`)
      return
    }
    let identified = false
    let sound = true
    let characters = 0
    columns.forEach((column, index) => {
      const cell = cells[index] ?? null
      const value = column.read(cell)
      const problem = problemWith(column, value, cell, this.#rules)
      if (problem !== undefined) this.#fault(line, column.field.name, problem)
      sound &&= problem === undefined
      identified ||= column.field.role === 'id' && value !== undefined
      characters += cell?.length ?? 0
    })
    if (sound) (identified ? this.#identified : this.#counted).add([line, ...cells], characters)
  }

  #fault(line: number, field: string, message: string): void {
    this.#faults.add(this.#file.name, line, field, message)
  }
}
