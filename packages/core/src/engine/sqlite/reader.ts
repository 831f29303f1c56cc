import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Awaitable, Connection, Statement, StoredRow } from '../engine.ts'
import { isPromise } from '../is-promise.ts'
import { SqliteConnection } from './connection.ts'
import { closed, mapError } from './errors.ts'
import type { Handle } from './handle.ts'
import { narrow } from './statement-cache.ts'

/** Reads committed data, on connections that cannot write. */
export class Reader {
  readonly #open: () => Handle
  readonly #handle: Handle
  readonly #streams = new Set<OpenStream>()
  /** Connections for one moment each, between two uses. */
  readonly #resting: Handle[] = []
  /** Reads that wait for something between their statements. */
  readonly #running = new Set<Promise<unknown>>()
  #closed = false

  /** `open` makes one more connection: each stream has its own. */
  constructor(open: () => Handle) {
    this.#open = open
    this.#handle = open()
  }

  /** Forgets what prepared statements know of the tables: SQLite looks at the schema again when a statement runs, not when it is prepared. */
  refreshSchema(): void {
    this.#handle.statements.clear()
    for (const { database } of this.#resting.splice(0)) database.close()
    void this.read((connection) => connection.all({ sql: 'SELECT count(*) FROM sqlite_schema', parameters: [] }))
  }

  read<T>(work: (connection: Connection) => Awaitable<T>): Awaitable<T> {
    if (this.#closed) throw closed()
    const connection = new SqliteConnection(this.#handle, Number.POSITIVE_INFINITY)
    let result: Awaitable<T>
    try {
      result = work(connection)
    } catch (error) {
      connection.end()
      throw error
    }
    if (isPromise(result)) return this.#finish(result, connection)
    connection.end()
    return result
  }

  /** A transaction on a connection of its own sees what the first statement saw. */
  readMoment<T>(work: (connection: Connection) => Awaitable<T>): Promise<T> {
    if (this.#closed) return Promise.reject(closed())
    const running = this.#inMoment(work).finally(() => this.#running.delete(running))
    this.#running.add(running)
    return running
  }

  async #inMoment<T>(work: (connection: Connection) => Awaitable<T>): Promise<T> {
    const handle = this.#resting.pop() ?? this.#open()
    const connection = new SqliteConnection(handle, Number.POSITIVE_INFINITY)
    try {
      connection.run({ sql: 'BEGIN', parameters: [] })
      return await work(connection)
    } finally {
      this.#endMoment(handle)
      connection.end()
    }
  }

  #endMoment(handle: Handle): void {
    const rest = !this.#closed && this.#resting.length < mostResting
    if (rest) handle.statements.get('ROLLBACK').statement.run([])
    if (rest) this.#resting.push(handle)
    else handle.database.close()
  }

  #finish<T>(result: Promise<T>, connection: SqliteConnection): Promise<T> {
    const running = result.finally(() => {
      connection.end()
      this.#running.delete(running)
    })
    this.#running.add(running)
    return running
  }

  /** One statement is one snapshot. The loop gets a turn after every chunk, however fast the caller takes them. */
  async *stream(statement: Statement, chunkSize: number): AsyncGenerator<StoredRow[], void, undefined> {
    if (this.#closed) throw closed()
    let stream: OpenStream | undefined
    try {
      stream = this.#openStream(statement)
      let chunk: StoredRow[] = []
      for (const row of stream.rows) {
        if (stream.exact) narrow(row)
        chunk.push(row)
        if (chunk.length < chunkSize) continue
        yield chunk
        chunk = []
        await nextTurn()
        if (this.#closed) throw closed()
      }
      if (chunk.length > 0) yield chunk
    } catch (error) {
      throw mapError(error)
    } finally {
      if (stream && this.#streams.delete(stream)) stream.handle.database.close()
    }
  }

  #openStream(statement: Statement): OpenStream {
    const handle = this.#open()
    try {
      const { statement: prepared, exact } = handle.statements.get(statement.sql)
      // better-sqlite3 hands out plain objects by column name.
      const rows = prepared.iterate(statement.parameters) as IterableIterator<StoredRow>
      const stream = { handle, rows, exact }
      this.#streams.add(stream)
      return stream
    } catch (error) {
      handle.database.close()
      throw error
    }
  }

  /**
   * Waits for the reads that are here, and ends the streams that are still open: one that nobody reads on would keep
   * its snapshot, and the write-ahead log, for ever.
   */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#running)
    this.#handle.database.close()
    for (const { database } of this.#resting.splice(0)) database.close()
    for (const stream of this.#streams) {
      stream.rows.return?.()
      stream.handle.database.close()
    }
    this.#streams.clear()
  }
}

/** Idle connections that are kept: to open one takes as long as to read some hundred records. */
const mostResting = 4

interface OpenStream {
  readonly handle: Handle
  readonly rows: IterableIterator<StoredRow>
  readonly exact: boolean
}
