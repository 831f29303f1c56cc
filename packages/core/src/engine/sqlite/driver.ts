import { UsageError } from '../../errors.ts'

/** The part of a better-sqlite3 statement that this engine uses. */
export interface SqliteStatement {
  /** It hands out rows. */
  readonly reader: boolean
  /** SQLite says that it changes no data; it says so of BEGIN, COMMIT and ATTACH too. */
  readonly readonly: boolean
  all(parameters: readonly unknown[]): unknown[]
  get(parameters: readonly unknown[]): unknown
  run(parameters: readonly unknown[]): { readonly changes: number; readonly lastInsertRowid: number | bigint }
  iterate(parameters: readonly unknown[]): IterableIterator<unknown>
  columns(): readonly { readonly name: string; readonly type: string | null }[]
  safeIntegers(on: boolean): this
  /** Hands out the first column of a row in its place. */
  pluck(on: boolean): this
  /** Hands out rows as lists of their values. */
  raw(on: boolean): this
}

/** The part of a better-sqlite3 database that this engine uses. */
export interface SqliteDatabase {
  readonly inTransaction: boolean
  prepare(sql: string): SqliteStatement
  pragma(text: string, options?: { readonly simple: boolean }): unknown
  function(
    name: string,
    options: { readonly deterministic: boolean; readonly directOnly: boolean },
    body: (...values: unknown[]) => unknown,
  ): unknown
  /** Copies the database into another file, page by page; `progress` is called between the steps and answers the pages of the next. */
  backup(path: string, options: { readonly progress: () => number }): Promise<{ readonly totalPages: number }>
  close(): void
}

export interface SqliteOpenOptions {
  readonly readonly?: boolean
  readonly fileMustExist?: boolean
  /** Milliseconds that SQLite itself, and the event loop with it, waits for a lock. */
  readonly timeout: number
}

export type SqliteDriver = new (path: string, options: SqliteOpenOptions) => SqliteDatabase

/** What this process is, and how it finds the driver; tests give others. */
export interface DriverSource {
  readonly napi: string | undefined
  readonly node: string
  readonly load: () => Promise<unknown>
}

const thisProcess: DriverSource = {
  napi: process.versions.napi,
  node: process.version,
  load: () => import('better-sqlite3'),
}

/** better-sqlite3 13 needs this; an older Node dies of a segmentation fault when it loads it. */
const neededNapi = 10

/** Loads better-sqlite3, which is an optional peer. Throws a `UsageError` that says what to install or which Node to use. */
export async function loadDriver(source: DriverSource = thisProcess): Promise<SqliteDriver> {
  if (!(Number(source.napi) >= neededNapi)) {
    throw new UsageError(
      'invalid_options',
      `SQLite needs Node 22.14 or later (Node-API ${neededNapi}); this is Node ${source.node}. Run the program on a newer Node.`,
    )
  }
  try {
    // The slice above is what better-sqlite3 13 exports; its own types are an optional package.
    const module = (await source.load()) as { default: SqliteDriver }
    return module.default
  } catch (cause) {
    throw new UsageError(
      'invalid_options',
      'SQLite needs the package better-sqlite3, which could not be loaded. Install it: npm install better-sqlite3@13',
      { cause },
    )
  }
}
