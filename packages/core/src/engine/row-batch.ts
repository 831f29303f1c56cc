import type { StoredRow } from './engine.ts'

/** Bytes of a batch, 256 KiB: a table of large values is read in constant memory, too, and small rows come by the thousand. */
const mostBatchBytes = 262_144

/** Gathers rows into batches that have neither too many rows nor too many bytes; a single row may have more. */
export class RowBatch<Row extends StoredRow | readonly unknown[] = StoredRow> {
  readonly #mostRows: number
  #rows: Row[] = []
  #bytes = 0

  constructor(mostRows: number) {
    this.#mostRows = Math.max(1, Math.trunc(mostRows))
  }

  /** Takes a row. Answers the rows before it when it does not fit to them, or all of them when there is no room left. */
  add(row: Row): Row[] | undefined {
    const bytes = sizeOf(row)
    const full = this.#bytes + bytes > mostBatchBytes ? this.rest() : undefined
    this.#rows.push(row)
    this.#bytes += bytes
    return full ?? (this.#rows.length >= this.#mostRows ? this.rest() : undefined)
  }

  /** What was gathered since the last batch; undefined when that is nothing. */
  rest(): Row[] | undefined {
    if (this.#rows.length === 0) return undefined
    const rows = this.#rows
    this.#rows = []
    this.#bytes = 0
    return rows
  }
}

/** Roughly what the values of a row take, in bytes. */
function sizeOf(row: StoredRow | readonly unknown[]): number {
  let bytes = 0
  if (isList(row)) for (const value of row) bytes += sizeOfValue(value)
  else for (const name in row) bytes += sizeOfValue(row[name])
  return bytes
}

function sizeOfValue(value: unknown): number {
  if (typeof value === 'string') return value.length
  return value instanceof Uint8Array ? value.byteLength : 8
}

function isList(row: StoredRow | readonly unknown[]): row is readonly unknown[] {
  return Array.isArray(row)
}
