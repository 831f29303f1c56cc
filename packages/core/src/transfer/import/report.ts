/** What became of the rows of one table. */
export interface ImportedTable {
  readonly table: string
  readonly component: string
  /** Rows in its file. */
  readonly rows: number
  readonly inserted: number
  readonly updated: number
  /** Records that were there as they are in the file: nothing was written, and no audit entry made. */
  readonly unchanged: number
}

/** A file of an export that is not imported. */
export interface SkippedFile {
  readonly file: string
  readonly table: string
  readonly reason: string
}

/** What is wrong with a row, or, in line 1, with the header. */
export interface ImportFault {
  readonly file: string
  /** The line in which the row begins, from 1 on. */
  readonly line: number
  /** The field, or `''` for the whole row. */
  readonly field: string
  readonly message: string
}

/** What an import did, or, with faults or in a dry run, would have done. */
export interface ImportReport {
  /** The rows are in the database; false when there are faults, and in a dry run: then nothing was written. */
  readonly applied: boolean
  readonly dryRun: boolean
  /** The `transaction_id` of its audit entries; null where nothing was written. */
  readonly transactionId: string | null
  readonly tables: readonly ImportedTable[]
  readonly skipped: readonly SkippedFile[]
  /** The first 100. */
  readonly errors: readonly ImportFault[]
  /** How many there are. Conflicts with what is stored are looked for while no row itself is wrong, and counted up to 100. */
  readonly errorCount: number
}

/** How far an import is. */
export interface ImportProgress {
  /** `reading` the files and checking each row, then `writing`, while other writers wait. */
  readonly phase: 'reading' | 'writing'
  /** Rows that were read, or written, so far. */
  readonly rows: number
  /** Bytes of the CSV files that were read so far. */
  readonly bytes: number
}

/** More are of no use to anybody. */
export const mostFaults = 100

/** Collects what is wrong. */
export class Faults {
  readonly #first: ImportFault[] = []
  #count = 0

  get first(): readonly ImportFault[] {
    return this.#first
  }

  get count(): number {
    return this.#count
  }

  add(file: string, line: number, field: string, message: string): void {
    this.#count++
    if (this.#first.length < mostFaults) this.#first.push({ file, line, field, message })
  }
}

/** The report of an import in JSON form, as `POST /db/import` answers it. */
export function importReportToJson({ applied, dryRun, transactionId, ...report }: ImportReport): Record<string, unknown> {
  const { tables, skipped, errors, errorCount } = report
  return { applied, dry_run: dryRun, transaction_id: transactionId, tables, skipped, errors, error_count: errorCount }
}
