import type { PgCallback, PgCopying, PgDriver, PgRows } from './driver.ts'

/** A `COPY … FROM STDIN` that brings its rows along. */
interface Copy {
  readonly sql: string
  /** A CopyData message. */
  readonly copied: Uint8Array
}

type CopyQuery = new (copy: Copy, callback: PgCallback) => PgRows

const made = new WeakMap<PgDriver, CopyQuery>()

/**
 * A copy whose rows leave together with the statement, so that it stands in the line of a connection like any other: nobody has to keep
 * what others ask out of their middle. A server that refuses the statement passes over rows that come behind it
 * (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY).
 */
export function copyQuery(driver: PgDriver, copy: Copy, callback: PgCallback): PgRows {
  const CopyQuery = copyQueries(driver)
  return new CopyQuery(copy, callback)
}

function copyQueries(driver: PgDriver): CopyQuery {
  const known = made.get(driver)
  if (known) return known
  const CopyQuery = class extends driver.Query {
    readonly #copy: Copy

    constructor(copy: Copy, callback: PgCallback) {
      super({ text: copy.sql }, undefined, callback)
      this.#copy = copy
    }

    override submit(connection: PgCopying): null {
      const { stream } = connection
      stream.cork()
      try {
        connection.query(this.#copy.sql)
        stream.write(this.#copy.copied)
        connection.endCopyFrom()
      } finally {
        stream.uncork()
      }
      return null
    }

    /** They are on their way. */
    override handleCopyInResponse(): void {}
  }
  made.set(driver, CopyQuery)
  return CopyQuery
}
