import type { StoredRow } from '../engine.ts'
import { type StatementListener, StatementReport } from '../statement-listener.ts'
import { type CopyFlow, copyFlow } from './copy-flow.ts'
import { copyQuery } from './copy-query.ts'
import type { PgCallback, PgClient, PgDriver, PgQuery, PgResult, PgRows } from './driver.ts'
import { endsConnection, isUnreplicated, lostConnection, translateError } from './errors.ts'
import { heldQueries } from './held-query.ts'
import { prepareReach } from './row-security.ts'
import type { StatementNames } from './statement-names.ts'

/** What a statement answered. */
export interface Result {
  readonly rows: StoredRow[]
  readonly changed: number
  /** The first word of what was done: COMMIT can turn out to be a ROLLBACK. */
  readonly command: string | null
}

export interface ClientStatement {
  readonly sql: string
  /** Left out only where the SQL is this engine's own from end to end: it goes by the simple protocol, which takes several statements. */
  readonly parameters?: readonly unknown[]
  /** The rows of a COPY, which leave with it. */
  readonly copied?: Uint8Array
}

/** A row as it arrives: by the names of its columns, or as its values in their order. */
export type ArrivingRow = StoredRow | readonly unknown[]

/** Rows on their way. */
export interface RowFlow {
  /** Resolves when the last row was taken. */
  readonly ended: Promise<void>
  /** Keeps further rows in the server, but for the few that have arrived. */
  pause(): void
  resume(): void
}

export interface ClientOptions {
  readonly url: string
  /** Milliseconds for reaching the server and logging in. */
  readonly connectWait: number
  readonly types: { getTypeParser(oid: number, format?: string): (text: string) => unknown }
  /** Undefined where nothing may be kept prepared: behind a pooler of transactions the next statement may meet another session. */
  readonly names: StatementNames | undefined
  /** Runs once, before anything else does; it answers `standby`. */
  readonly setup: ClientStatement
  readonly onStatement?: StatementListener | undefined
}

/** Prepared statements that a connection may hold before it is replaced: each costs memory in the server. */
const mostPrepared = 500

/** Milliseconds without a word after which the system asks whether the other side is there. */
const keepAliveDelay = 10_000

/** Milliseconds for the server to hang up after a goodbye. */
const goodbyeWait = 1_000

/** One session of the database. Statements are answered in the order in which they were sent, without waiting for each other. */
export class Client {
  /** Nobody has used it yet: when it fails, the reason is not that it lay in the pool too long. */
  fresh = true
  /** It is of a server that only reads, as of when it was made. */
  standby = false
  /** It was given up for not answering: the others may have lost the server, too, without having heard of it. */
  silent = false
  /** The pool's generation that it belongs to. */
  generation = 0
  readonly #driver: PgDriver
  readonly #pg: PgClient
  readonly #names: StatementNames | undefined
  readonly #onStatement: StatementListener | undefined
  readonly #prepared = new Set<string>()
  #dead: unknown
  #spoilt = false
  #isPrepared = false
  #unreplicated = false
  #pending = 0
  #onDeath: (() => void) | undefined

  private constructor(driver: PgDriver, pg: PgClient, { names, onStatement }: ClientOptions) {
    this.#driver = driver
    this.#pg = pg
    this.#names = names
    this.#onStatement = onStatement
    // without a listener an error of an idle connection would end the process
    pg.on('error', (error: unknown) => this.#die(error))
    pg.on('notice', (notice: object) => {
      this.#unreplicated ||= isUnreplicated(notice)
    })
    pg.on('end', () => this.#die(new Error('The connection ended')))
  }

  /** Connects, logs in and sets the session up. Rejects with the driver's own error. */
  static async connect(driver: PgDriver, options: ClientOptions): Promise<Client> {
    const pg = makePgClient(driver, options.url, options)
    const client = new Client(driver, pg, options)
    try {
      await pg.connect()
      const { rows } = await client.query(options.setup)
      client.standby = rows[0]?.['standby'] === true
      return client
    } catch (error) {
      client.destroy()
      throw error
    }
  }

  /** The connection is gone, or the server said that it is going. */
  get dead(): boolean {
    return this.#dead !== undefined
  }

  /** The server has committed without hearing from its standby, since this was asked last. */
  takeUnreplicated(): boolean {
    const unreplicated = this.#unreplicated
    this.#unreplicated = false
    return unreplicated
  }

  /** Nothing is under way. */
  get idle(): boolean {
    return this.#pending === 0
  }

  /** Can be used again by somebody else. */
  get reusable(): boolean {
    const outside = (this.#pg.getTransactionStatus?.() ?? 'I') === 'I'
    return !this.dead && !this.#spoilt && this.#pending === 0 && outside && this.#prepared.size < mostPrepared
  }

  /** Sends a statement now. Rejects with what the engine may throw. */
  query(statement: ClientStatement): Promise<Result> {
    return this.#onStatement ? this.#told(statement, this.#onStatement) : this.#sent(statement)
  }

  /**
   * Sends a statement that only reads, and before it whose rows it touches: both are in one transaction, of their own. Undefined where
   * nothing may be kept prepared, and for a statement that is not.
   */
  heldQuery(statement: ClientStatement, reach: readonly string[]): Promise<Result> | undefined {
    const query = this.#names && this.#prepare(statement)
    if (query?.name === undefined) return undefined
    const send = (): Promise<Result> => this.#sentHeld(query, reach)
    return this.#onStatement ? this.#told(statement, this.#onStatement, send) : send()
  }

  #sentHeld(query: PgQuery, reach: readonly string[]): Promise<Result> {
    if (this.dead) return Promise.reject(lostConnection(this.#dead))
    const HeldQuery = heldQueries(this.#driver)
    return this.together(() => {
      this.#prepareReach()
      return this.#answered((callback) => this.#pg.query(new HeldQuery(query, reach, callback)))
    })
  }

  /** Once for a session, and where that fails so does what follows. */
  #prepareReach(): void {
    if (this.#isPrepared) return
    this.#isPrepared = true
    this.#sent({ sql: prepareReach }).catch(() => {
      this.#spoilt = true
    })
  }

  async #told(statement: ClientStatement, listener: StatementListener, send = () => this.#sent(statement)): Promise<Result> {
    const start = performance.now()
    let failed = true
    try {
      const result = await send()
      failed = false
      return result
    } finally {
      listener(new StatementReport(statement.sql, statement.parameters ?? [], start, failed))
    }
  }

  #sent(statement: ClientStatement): Promise<Result> {
    if (this.dead) return Promise.reject(lostConnection(this.#dead))
    const { sql, copied } = statement
    if (copied) return this.#answered((callback) => this.#pg.query(copyQuery(this.#driver, { sql, copied }, callback)))
    const query = this.#prepare(statement)
    return this.#answered((callback) => this.#pg.query(query, callback))
  }

  #answered(send: (callback: PgCallback) => void): Promise<Result> {
    this.#pending++
    return new Promise((resolve, reject) => {
      send((error, result) => {
        this.#pending--
        if (error) reject(this.#fail(error))
        else resolve(readResult(result))
      })
    })
  }

  /**
   * Sends a statement now, whose rows are given to `take` as they arrive. What is not wanted yet waits in the server.
   *
   * @param rowMode `array` for rows as lists of their values
   */
  flow<Row extends ArrivingRow>(statement: ClientStatement, take: (row: Row) => void, rowMode?: PgQuery['rowMode']): RowFlow {
    const { stream } = this.#pg.connection
    const ended = this.dead ? Promise.reject(lostConnection(this.#dead)) : this.#rows(statement, take, rowMode)
    return { ended, pause: () => stream.pause(), resume: () => stream.resume() }
  }

  #rows<Row extends ArrivingRow>(statement: ClientStatement, take: (row: Row) => void, rowMode?: PgQuery['rowMode']): Promise<void> {
    const query = new this.#driver.Query({ ...this.#prepare(statement), ...(rowMode && { rowMode }) })
    query.on('row', take)
    return this.#ended(query)
  }

  /** Begins a `COPY … FROM STDIN`; nothing else may be under way until it has ended. */
  copy(sql: string): CopyFlow {
    const query = new this.#driver.Query({ text: sql })
    const begin = (): Promise<void> => (this.dead ? Promise.reject(lostConnection(this.#dead)) : this.#ended(query))
    return copyFlow(query, this.#pg.connection, begin)
  }

  #ended(query: PgRows): Promise<void> {
    this.#pending++
    return new Promise<void>((resolve, reject) => {
      query.once('end', resolve)
      query.once('error', (error: Error) => reject(this.#fail(error)))
      this.#pg.query(query)
    }).finally(() => this.#pending--)
  }

  /** Sends what is queried inside as one packet. */
  together<T>(queries: () => T): T {
    const { stream } = this.#pg.connection
    stream.cork()
    try {
      return queries()
    } finally {
      stream.uncork()
    }
  }

  /** Asks the server to stop what runs. The request may arrive late, so nobody else gets this connection afterwards. */
  cancel(): void {
    this.#spoilt = true
    if (this.dead || this.#pending === 0) return
    const { processID, secretKey, host, port, ssl } = this.#pg
    if (processID === null || secretKey === null) return
    const courier = new this.#driver.Connection({ ssl })
    const send = (): void => {
      courier.cancel(processID, secretKey)
      courier.end()
    }
    // whoever waits for the statement gives up on the connection when no request gets through
    courier.on('error', () => {})
    courier.on('connect', () => (ssl ? courier.requestSsl() : send()))
    courier.on('sslconnect', send)
    if (host.startsWith('/')) courier.connect(`${host}/.s.PGSQL.${port}`)
    else courier.connect(port, host)
  }

  /** Says goodbye to the server, and leaves without its answer when that does not come. */
  async close(): Promise<void> {
    if (this.dead) return this.destroy()
    const timer = setTimeout(() => this.destroy(), goodbyeWait)
    await this.#pg.end()
    clearTimeout(timer)
  }

  /** Drops the connection without waiting for anything; what was sent is answered with the loss. */
  destroy(): void {
    this.#spoilt = true
    this.#pg.connection.stream.destroy()
  }

  /** Calls back for each signal of a name that this connection listens to. */
  onSignal(heard: () => void): void {
    this.#pg.on('notification', heard)
  }

  /** Drops the connection because nothing is heard on it. */
  giveUp(): void {
    this.silent = true
    this.destroy()
  }

  /** Whether the server answers within so many milliseconds; where it does not, the connection is dropped. */
  async answers(wait: number): Promise<boolean> {
    const timer = setTimeout(() => this.giveUp(), wait)
    try {
      await this.query({ sql: 'SELECT' })
      return true
    } catch {
      return false
    } finally {
      clearTimeout(timer)
    }
  }

  /** In the pool: it neither keeps the process alive nor goes unnoticed when it breaks. */
  rest(onDeath: () => void): void {
    this.#onDeath = onDeath
    this.#pg.unref()
  }

  wake(): void {
    this.#onDeath = undefined
    this.#pg.ref()
  }

  #prepare({ sql, parameters }: ClientStatement): PgQuery {
    if (!parameters) return { text: sql }
    const name = this.#names?.nameOf(sql)
    if (name === undefined) return { text: sql, values: parameters, queryMode: 'extended' }
    this.#prepared.add(name)
    return { text: sql, values: parameters, name }
  }

  #die(reason: unknown): void {
    this.#dead ??= reason
    this.#onDeath?.()
  }

  #fail(error: Error): Error {
    const translated = translateError(error, this.dead)
    if (endsConnection(translated)) this.#die(error)
    return translated
  }
}

/** A client of the driver's that has not been connected. */
export function makePgClient(driver: PgDriver, url: string, options?: ClientOptions): PgClient {
  return new driver.Client({
    connectionString: url,
    fallback_application_name: 'strongroom',
    connectionTimeoutMillis: options?.connectWait ?? 0,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveDelay,
    pipeline: true,
    ...(options && { types: options.types }),
  })
}

/** Of several statements in one string, the last one's. */
function readResult(result: PgResult | PgResult[]): Result {
  const last = Array.isArray(result) ? result.at(-1) : result
  return { rows: last?.rows ?? [], changed: last?.rowCount ?? 0, command: last?.command ?? null }
}
