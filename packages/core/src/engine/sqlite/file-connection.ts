import { loadDriver, type SqliteDatabase } from './driver.ts'
import { mapError } from './errors.ts'

/** A database file, open in a thread that serves nobody else. */
export interface FileConnection {
  readonly database: SqliteDatabase
  all(sql: string, parameters?: readonly unknown[]): Record<string, unknown>[]
  /** Reads rows one by one, integers exactly. */
  each(sql: string): IterableIterator<Record<string, unknown>>
  run(sql: string, parameters?: readonly unknown[]): void
  close(): void
}

/** 2 MiB: whoever reads a file from end to end has no use for what it has read, and several threads come after each other. */
export const smallCache = 'cache_size = -2048'

/** Milliseconds to block for a lock. */
const busyTimeout = 10_000

/** Opens a database file. What stands in it is not trusted: it may come from anywhere (https://sqlite.org/security.html). */
export async function openFile(path: string, options: { readonly readonly: boolean; readonly timeout?: number }): Promise<FileConnection> {
  const driver = await loadDriver()
  let database: SqliteDatabase | undefined
  try {
    database = new driver(path, { readonly: options.readonly, fileMustExist: true, timeout: options.timeout ?? busyTimeout })
    for (const pragma of ['trusted_schema = OFF', 'cell_size_check = ON', 'mmap_size = 0', smallCache]) database.pragma(pragma)
    return connectionOf(database)
  } catch (error) {
    database?.close()
    throw mapError(error)
  }
}

function connectionOf(database: SqliteDatabase): FileConnection {
  return {
    database,
    // better-sqlite3 hands out plain objects by column name.
    all: (sql, parameters = []) => database.prepare(sql).all(parameters) as Record<string, unknown>[],
    each: (sql) => {
      const statement = database.prepare(sql)
      statement.safeIntegers(true)
      return statement.iterate([]) as IterableIterator<Record<string, unknown>>
    },
    run: (sql, parameters = []) => {
      try {
        database.prepare(sql).run(parameters)
      } catch (error) {
        throw mapError(error)
      }
    },
    close: () => database.close(),
  }
}
