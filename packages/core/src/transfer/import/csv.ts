import { type CsvError, type Options, parse } from 'csv-parse'

/** A row of a CSV file. */
export interface CsvRow {
  /** The line in which it begins, from 1 on. */
  readonly line: number
  /** Null stands for a cell that is empty and has no quotes. */
  readonly cells: readonly (string | null)[]
}

/** The file is no CSV from a line on, and the rest of it cannot be understood. */
export class CsvFault extends Error {
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

/** Bytes that are parsed at a time: of 64 KiB enough rows are alive at once that garbage is taken for old, and 150 MB of it gather. */
const pieceSize = 16_384

/** Bytes of one row, 32 MiB: a quote that is never closed would make one row of the rest of the file. */
const longestRow = 33_554_432

/** Reads the rows of a CSV file (RFC 4180, UTF-8, with or without a byte order mark) in small batches. Throws CsvFault. */
export async function* readCsv(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<readonly CsvRow[], void, undefined> {
  const reading = new CsvReading()
  for await (const chunk of bytes) {
    for (let start = 0; start < chunk.length; start += pieceSize) yield await reading.write(chunk.subarray(start, start + pieceSize))
  }
  yield await reading.end()
}

class CsvReading {
  readonly #parser
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true })
  /** Where the next row begins. */
  #line = 1
  /** Line breaks inside the cells of the row that is being read. */
  #breaks = 0

  constructor() {
    const options: Options & { readonly readableHighWaterMark: number } = {
      bom: true,
      relax_column_count: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      max_record_size: longestRow,
      cast: (cell, { quoting }) => this.#cell(cell, quoting),
      // Its types know rows of texts alone.
      on_record: ((cells: (string | null)[]) => this.#row(cells)) as unknown as NonNullable<Options['on_record']>,
      // Whoever writes a piece reads its rows before the next one: nothing has to be held back.
      readableHighWaterMark: Number.MAX_SAFE_INTEGER,
    }
    this.#parser = parse(options)
    // The callback of the write that failed has the error.
    this.#parser.on('error', () => undefined)
  }

  async write(piece: Uint8Array): Promise<readonly CsvRow[]> {
    this.#assertText(piece)
    return await this.#rowsAfter((done) => this.#parser.write(piece, done))
  }

  async end(): Promise<readonly CsvRow[]> {
    this.#assertText(undefined)
    return await this.#rowsAfter((done) => {
      this.#parser.once('error', done)
      this.#parser.end(done)
    })
  }

  #assertText(piece: Uint8Array | undefined): void {
    try {
      this.#utf8.decode(piece, { stream: piece !== undefined })
    } catch {
      throw new CsvFault(this.#line, 'is not in UTF-8, or what follows is not. Save the file as UTF-8')
    }
  }

  async #rowsAfter(step: (done: (error?: Error | null) => void) => void): Promise<readonly CsvRow[]> {
    await new Promise<void>((resolve, reject) => {
      step((error) => (error ? reject(this.#fault(error)) : resolve()))
    })
    const rows: CsvRow[] = []
    // `on_record` made them.
    for (let row = this.#parser.read() as CsvRow | null; row !== null; row = this.#parser.read() as CsvRow | null) rows.push(row)
    return rows
  }

  #cell(cell: string, quoting: boolean): string | null {
    if (!quoting) return cell === '' ? null : cell
    for (const _ of cell.matchAll(/\r\n|\r|\n/g)) this.#breaks++
    return cell
  }

  /** Empty lines are no rows. */
  #row(cells: readonly (string | null)[]): CsvRow | null {
    const line = this.#line
    this.#line += 1 + this.#breaks
    this.#breaks = 0
    return cells.length === 1 && cells[0] === null ? null : { line, cells }
  }

  #fault(error: Error): CsvFault | Error {
    const code = 'code' in error ? (error as CsvError).code : undefined
    if (code === 'CSV_MAX_RECORD_SIZE')
      return new CsvFault(this.#line, `begins a row of more than ${longestRow} bytes. Is a quote not closed?`)
    if (code === 'CSV_QUOTE_NOT_CLOSED') return new CsvFault(this.#line, 'begins a row with a quote that is not closed')
    if (typeof code === 'string')
      return new CsvFault(this.#line, 'has a quote in the middle of a cell. Put the cell in quotes, and double those inside')
    return error
  }
}
