import { type ImportReport, StrongroomError } from '@strongroom/core'

/** Rows of an import are wrong, and nothing was written. `issues` has the first of them. */
export class RowsRefused extends StrongroomError {
  readonly issues: readonly {
    readonly path: string
    readonly message: string
    readonly file: string
    readonly line: number
    readonly field: string
  }[]
  readonly count: number

  constructor(sentence: string, { errors, errorCount }: ImportReport) {
    super('validation_failed', sentence)
    this.issues = errors.map(({ file, line, field, message }) => {
      const path = field === '' ? `${file}:${line}` : `${file}:${line}:${field}`
      return { path, message, file, line, field }
    })
    this.count = errorCount
  }
}
