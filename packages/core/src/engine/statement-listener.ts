/** A statement that the database has run, for logs, metrics and traces. */
export interface RanStatement {
  readonly sql: string
  /** Milliseconds, with the way to the database and back. */
  readonly duration: number
  /** It ended with an error. */
  readonly failed: boolean
  /** What kind each parameter is, with the length of texts and bytes; never a value: `['text(5)', 'number', 'null']`. */
  readonly parameters: readonly string[]
}

/** Is told of each statement, in the asynchronous context of whoever ran it. It has to be quick, and must not throw. */
export type StatementListener = (statement: RanStatement) => void

/** Nobody pays for the kinds of parameters unless somebody reads them. */
export class StatementReport implements RanStatement {
  readonly sql: string
  readonly duration: number
  readonly failed: boolean
  readonly #values: readonly unknown[]

  constructor(sql: string, values: readonly unknown[], start: number, failed: boolean) {
    this.sql = sql
    this.#values = values
    this.duration = performance.now() - start
    this.failed = failed
  }

  get parameters(): readonly string[] {
    return this.#values.map(kindOf)
  }
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return `text(${value.length})`
  if (value instanceof Uint8Array) return `bytes(${value.byteLength})`
  if (typeof value === 'object') return value instanceof Date ? 'instant' : Array.isArray(value) ? `array(${value.length})` : 'json'
  return typeof value
}
