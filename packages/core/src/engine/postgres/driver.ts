import type { EventEmitter } from 'node:events'
import { UsageError } from '../../errors.ts'

/** The slice of node-postgres 8 that this engine stands on. */
export interface PgDriver {
  readonly Client: new (config: PgClientConfig) => PgClient
  readonly Connection: new (config: { readonly ssl: unknown }) => PgConnection
  readonly Query: new (query: PgQuery, values?: undefined, callback?: PgCallback) => PgRows
  readonly types: { getTypeParser(oid: number, format: 'text'): TypeParser }
}

export type TypeParser = (text: string) => unknown

export interface PgClientConfig {
  readonly connectionString: string
  readonly fallback_application_name: string
  readonly connectionTimeoutMillis: number
  readonly keepAlive: boolean
  readonly keepAliveInitialDelayMillis: number
  /** Sends statements without waiting for the answers to earlier ones; older versions queue them instead. */
  readonly pipeline: boolean
  readonly types?: { getTypeParser(oid: number, format?: string): TypeParser }
}

export interface PgQuery {
  readonly text: string
  readonly values?: readonly unknown[]
  readonly name?: string
  /** The extended protocol refuses several statements in one string; the simple one costs less for those without parameters. */
  readonly queryMode?: 'extended'
  /** Rows are lists of their values; objects otherwise. */
  readonly rowMode?: 'array'
}

export type PgCallback = (error: Error | null, result: PgResult | PgResult[]) => void

/** A query. Without a callback it tells `row` for each row, which it does not keep, then `end`, or `error`. */
export interface PgRows extends EventEmitter {
  /** Sends it. */
  submit(connection: PgCopying): unknown
  /** Sends what the extended protocol has for it, up to the end of its transaction. */
  prepare(connection: PgBinding): void
  handleDataRow(message: unknown): void
  handleCommandComplete(message: unknown, connection: unknown): void
  /** The server waits for the rows of a COPY. */
  handleCopyInResponse(): void
}

/** A connection on which a statement that was prepared is run. */
export interface PgBinding {
  bind(order: { readonly statement: string; readonly values: readonly string[]; readonly valueMapper: (value: string) => string }): void
  execute(order: object): void
}

export interface PgResult {
  readonly rows: Record<string, unknown>[]
  readonly rowCount: number | null
  readonly command: string | null
}

export interface PgClient extends EventEmitter {
  readonly host: string
  readonly port: number
  readonly database?: string | undefined
  readonly ssl: unknown
  readonly processID: number | null
  readonly secretKey: number | null
  readonly connection: PgCopying
  connect(): Promise<unknown>
  query(query: PgQuery, callback: PgCallback): void
  query(query: PgRows): void
  end(): Promise<void>
  ref(): void
  unref(): void
  /** I, T or E: outside, inside, or inside a failed transaction. Missing in older versions. */
  getTransactionStatus?(): string | null
}

/** What a COPY and its rows are sent by. */
export interface PgCopying {
  readonly stream: PgStream
  query(sql: string): void
  endCopyFrom(): void
}

/** The socket. */
export interface PgStream {
  destroy(): unknown
  cork(): void
  uncork(): void
  pause(): unknown
  resume(): unknown
  write(message: Uint8Array, sent?: () => void): unknown
}

/** A connection below the level of a client: it is used to send cancel requests. */
export interface PgConnection extends EventEmitter {
  connect(port: number | string, host?: string): void
  requestSsl(): void
  cancel(processId: number, secretKey: number): void
  end(): void
}

/** Loads `pg`, which is an optional peer: only those who store in PostgreSQL install it. */
export async function loadPg(): Promise<PgDriver> {
  try {
    const module: unknown = await import('pg')
    // the published types leave out what cancel requests need; the slice above is checked by the tests
    return (module as { default: PgDriver }).default
  } catch (cause) {
    throw new UsageError('invalid_options', 'PostgreSQL needs the package pg, version 8: install it with `npm install pg`.', { cause })
  }
}
