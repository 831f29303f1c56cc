import type { OrderedStatement, TakeRow } from '../engine.ts'
import { takeRows } from '../take-rows.ts'
import type { SqliteStatement } from './driver.ts'
import { mapError } from './errors.ts'
import type { Handle } from './handle.ts'

/** Rows that are read at a time: one after the other they take twice as long (measured). */
const mostRows = 1_000

/** Bytes that are read at a time where they are more than one row, 256 KiB: rows may be large, and no two alike. */
const mostBytes = 262_144

/** Hands over row after row, as `Snapshot.eachRow` does. They are read in pages, each from behind the last row of the one before. */
export async function readEachRow(handle: Handle, statement: OrderedStatement, take: TakeRow): Promise<void> {
  const pages = asked(() => new Pages(handle, statement))
  for (;;) {
    const rows = asked(() => pages.next())
    if (rows.length === 0) return
    await takeRows(rows, take)
  }
}

/** What whoever takes rows throws is no error of the database. */
function asked<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw mapError(error)
  }
}

/** Statements of a page; the last of their parameters is the page's number of rows. */
interface PageStatements {
  readonly rows: SqliteStatement
  /** Its size in bytes, as far as values have any: SQLite tells it without reading them. */
  readonly size: SqliteStatement
}

class Pages {
  readonly #first: PageStatements
  readonly #next: PageStatements
  readonly #parameters: readonly unknown[]
  /** Where the rows are counted from: the values of the column that orders them. */
  readonly #key: number
  #after: unknown
  #rows = mostRows

  constructor({ database, statements }: Handle, { sql, parameters, orderedBy }: OrderedStatement) {
    const { statement, exact } = statements.get(sql)
    const columns = statement.columns()
    const sizes = columns.filter(({ type }) => type === 'TEXT' || type === 'BLOB').map(({ name }) => `ifnull(octet_length("${name}"), 0)`)
    const pageOf = (condition: string): PageStatements => {
      const page = `SELECT * FROM (${sql})${condition} ORDER BY "${orderedBy}" LIMIT ?`
      const rows = database.prepare(page)
      rows.raw(true)
      rows.safeIntegers(exact)
      const size = database.prepare(`SELECT total(${['0', ...sizes].join(' + ')}) FROM (${page})`)
      size.pluck(true)
      return { rows, size }
    }
    this.#first = pageOf('')
    this.#next = pageOf(` WHERE "${orderedBy}" > ?`)
    this.#parameters = parameters
    this.#key = columns.findIndex(({ name }) => name === orderedBy)
  }

  next(): readonly (readonly unknown[])[] {
    const isFirst = this.#after === undefined
    const { rows, size } = isFirst ? this.#first : this.#next
    const start = isFirst ? this.#parameters : [...this.#parameters, this.#after]
    this.#rows = Math.min(this.#rows * 2, mostRows)
    // `total` answers a number.
    while (this.#rows > 1 && (size.get([...start, this.#rows]) as number) > mostBytes) this.#rows = Math.ceil(this.#rows / 4)
    // Lists, as was asked for.
    const found = rows.all([...start, this.#rows]) as unknown[][]
    const last = found.at(-1)?.[this.#key]
    // Another program may have written an id that no number holds: the page behind its neighbour would have it again, and again.
    if (typeof last === 'number' && !Number.isSafeInteger(last)) {
      for (const page of [this.#first, this.#next]) page.rows.safeIntegers(true)
      return this.next()
    }
    this.#after = last
    return found
  }
}
