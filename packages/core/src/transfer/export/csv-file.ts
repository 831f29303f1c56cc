import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Snapshot } from '../../engine/engine.ts'
import { ownPace } from '../worker/pace.ts'
import { type CellWriter, cellWriter, harmlessCell, textCell } from './csv-cell.ts'
import type { ExportedFile } from './manifest.ts'
import type { ColumnPlan, TablePlan } from './plan.ts'

/** Takes bytes, whose memory is used again when the promise resolves. */
type TakeBytes = (bytes: Uint8Array) => Promise<void>

/** Characters that are gathered before they go on, 64 KiB: a row or a thousand. */
const pieceLength = 65_536

/** Writes the rows of a table as a CSV file (RFC 4180), and answers what became of it. */
export async function writeCsv(
  snapshot: Snapshot,
  { columns, statement }: TablePlan,
  spreadsheet: boolean,
  take: TakeBytes,
): Promise<Pick<ExportedFile, 'rows' | 'bytes' | 'sha256'>> {
  const file = new CsvFile(take)
  const header = columns.map(({ name }) => (spreadsheet ? harmlessCell : textCell)(name))
  await file.line(header.join(','))
  const cells = columns.map((column) => cellOf(snapshot, column, spreadsheet))
  await snapshot.eachRow(statement, (values) => {
    let line = ''
    let index = 0
    for (const cell of cells) {
      if (index > 0) line += ','
      line += cell(values[index++])
    }
    file.rows++
    return file.line(line)
  })
  return await file.end()
}

function cellOf(snapshot: Snapshot, column: ColumnPlan, spreadsheet: boolean): CellWriter {
  const { mark } = column
  if (mark !== undefined) return () => textCell(mark)
  const write = cellWriter(column, snapshot.codec(column), spreadsheet)
  return (stored) => (stored === null || stored === undefined ? '' : write(stored))
}

/** Lines on their way into a file. While a piece of it is packed the next one is gathered, in the memory of the one before. */
class CsvFile {
  rows = 0
  readonly #take: TakeBytes
  readonly #hash = createHash('sha256')
  #bytes = 0
  #text = ''
  #taken: Promise<void> = Promise.resolve()
  #memory: [next: Buffer, taken: Buffer] = [Buffer.allocUnsafe(0), Buffer.allocUnsafe(0)]

  constructor(take: TakeBytes) {
    this.#take = take
  }

  line(text: string): Promise<void> | undefined {
    this.#text += text
    this.#text += '\r\n'
    return this.#text.length < pieceLength ? undefined : this.#pass()
  }

  async end(): Promise<Pick<ExportedFile, 'rows' | 'bytes' | 'sha256'>> {
    await this.#pass()
    await this.#taken
    return { rows: this.rows, bytes: this.#bytes, sha256: this.#hash.digest('hex') }
  }

  async #pass(): Promise<void> {
    const piece = this.#encode()
    this.#hash.update(piece)
    this.#bytes += piece.length
    await this.#taken
    this.#taken = this.#take(piece)
    // Heard of by whoever waits for it, here or at the end.
    this.#taken.catch(() => undefined)
    // Messages to this thread get their turn, and what was packed goes on.
    await nextTurn()
    await ownPace.step()
  }

  #encode(): Buffer {
    const text = this.#text
    this.#text = ''
    const [next, taken] = this.#memory
    const most = text.length * 3
    // Three bytes a character are enough for any text. A large row's memory is not kept.
    const memory = next.length >= most && next.length <= mostKept ? next : Buffer.allocUnsafe(most)
    this.#memory = [taken, memory]
    return memory.subarray(0, memory.write(text))
  }
}

/** Bytes of a piece that is kept for the next ones. */
const mostKept = pieceLength * 8
