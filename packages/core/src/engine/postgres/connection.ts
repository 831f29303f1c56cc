import { QueryTimeoutError, StrongroomError, UsageError } from '../../errors.ts'
import type { Connection, LastStatement, Reach, Statement, StoredRow } from '../engine.ts'
import { sameReach } from '../reach.ts'
import type { TimeBudget } from '../time-budget.ts'
import type { Client, ClientStatement, Result } from './client.ts'
import { isConflict, lostConnection, sqlState, unknownOutcome, unreplicatedCommit } from './errors.ts'
import { HeldConnection } from './held-connection.ts'
import { assertBindable, changing, isRefused, refuseSkipped } from './last-statements.ts'
import { quoteName } from './names.ts'
import { assertNoControl, assertReading, refusal } from './raw-guard.ts'
import { reachSql } from './row-security.ts'
import { encodeForeign } from './values.ts'
import { withinTime } from './within-time.ts'

/** Milliseconds for a rollback to be answered before the connection is given up. */
const rollbackWait = 1_000

/** The savepoint around a statement of somebody else that may only read. */
const guard = 'strongroom_read_only'

/** Said explicitly: the role or the database may have another default. */
const begin = 'BEGIN ISOLATION LEVEL READ COMMITTED'

export interface UnitOpening {
  /** Said with BEGIN; undefined where no table holds its rows to tenants. */
  readonly reach: Reach | undefined
  /** Said with BEGIN, too: statements, each after a semicolon. */
  readonly limits?: string
}

/** One attempt at a unit of work on one client: BEGIN travels with the first statement, and nothing is begun for a unit without any. */
export class UnitConnection implements Connection {
  readonly #client: Client
  readonly #reach: Reach | undefined
  readonly #limits: string
  #begun: Promise<Result> | undefined
  #confirmed = false
  #finished = false
  #concluded = false
  #doom: Error | undefined
  #failure: unknown
  /** Why the last statements were not committed. */
  #refusal: unknown

  constructor(client: Client, { reach, limits = '' }: UnitOpening) {
    this.#client = client
    this.#reach = reach
    this.#limits = limits
  }

  /** Why this attempt cannot be committed any more, whatever the code inside makes of the error. */
  get doom(): Error | undefined {
    return this.#doom
  }

  /** The server has answered: the unit's code may have acted on what it read. */
  get answered(): boolean {
    return this.#confirmed
  }

  /** The COMMIT is on its way: until it is answered nobody knows the outcome. */
  get concluded(): boolean {
    return this.#concluded
  }

  heldTo(reach: Reach): Connection {
    return this.#reach === undefined || sameReach(this.#reach, reach) ? this : new HeldConnection(this, reach)
  }

  /** Here and below, `reach` is that of a statement which touches other rows than the unit does. */
  async all(statement: Statement, time?: TimeBudget, reach?: Reach): Promise<StoredRow[]> {
    try {
      return (await withinTime(this.#client, time, () => this.#sendWithin(reach, statement))).rows
    } catch (error) {
      // an order to stop that comes late would hit a statement after this one
      if (error instanceof QueryTimeoutError && error.cause === undefined) this.#doom ??= error
      throw error
    }
  }

  async run(statement: Statement, reach?: Reach): Promise<number> {
    return (await this.#sendWithin(reach, statement)).changed
  }

  async raw(
    statement: Statement,
    options: { readonly write: boolean },
    reach: Reach | undefined = this.#reach,
  ): Promise<{ rows: StoredRow[]; changed: number }> {
    const foreign = { sql: statement.sql, parameters: statement.parameters.map(encodeForeign) }
    if (!options.write) return await this.#readOnly(foreign, reach)
    assertNoControl(statement.sql)
    return await this.#sendWithin(reach, foreign)
  }

  /** Not waited for: what follows is behind it in the line, and fails if it failed. */
  savepoint(name: string): void {
    this.#sendUnheard(`SAVEPOINT ${quoteName(name)}`)
  }

  release(name: string): void {
    this.#sendUnheard(`RELEASE SAVEPOINT ${quoteName(name)}`)
  }

  async rollbackTo(name: string): Promise<void> {
    await this.#send({ sql: undoSavepoint(quoteName(name)) })
    this.#failure = undefined
  }

  async lockTable(table: string): Promise<void> {
    await this.#send({ sql: `SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.' || $1::text, 0))`, parameters: [table] })
  }

  /**
   * A single statement of a unit that has nothing to say with BEGIN is a transaction by itself. Several are sent only once BEGIN was
   * answered: had it failed, each of them would be committed alone.
   */
  async conclude(statements: readonly LastStatement[]): Promise<StoredRow[][]> {
    assertBindable(statements)
    if (this.#begun ? !this.#confirmed : statements.length > 1) await this.#send({ sql: 'SELECT' })
    if (this.#finished || this.#concluded) throw sessionFinished()
    if (this.#doom) throw this.#doom
    if (this.#client.dead) throw lostConnection(this.#failure)
    const isAlone = !this.#begun && this.#limits === '' && this.#reach === undefined
    this.#concluded = true
    const begun = this.#begun
    const sent = this.#client.together(() => ({
      begun: begun ?? (isAlone ? undefined : this.#client.query({ sql: this.#beginSql })),
      statements: statements.map((statement) => this.#sendLast(statement)),
      committed: isAlone ? undefined : this.#client.query({ sql: 'COMMIT' }),
    }))
    const answers = await Promise.allSettled([sent.begun, ...sent.statements, sent.committed])
    const failed = answers.find((answer) => answer.status === 'rejected')
    if (failed) {
      this.#note(failed.reason)
      if (!isRefused(answers.slice(1), isAlone)) this.#doom = unknownOutcome(failed.reason)
      this.#refusal = this.#doom ?? failed.reason
      throw this.#refusal
    }
    const [, ...results] = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : undefined))
    this.#assertCommitted(isAlone ? 'COMMIT' : (results.at(-1)?.command ?? null))
    return results.slice(0, -1).map((result) => result?.rows ?? [])
  }

  /** What follows an empty answer has a transaction of its own. */
  async concludeAlone(statement: Statement): Promise<StoredRow[]> {
    if (this.#begun) throw new Error('a unit that has begun cannot be undone to go on')
    const [rows = []] = await this.conclude([statement])
    if (rows.length === 0) this.#concluded = false
    return rows
  }

  #sendLast({ reach, changes, ...statement }: LastStatement): Promise<Result> {
    const own = this.#reach
    const query = (): Promise<Result> =>
      changes === undefined
        ? this.#client.query(statement)
        : this.#client.query({ ...statement, sql: changing(statement.sql, changes) }).catch(refuseSkipped)
    if (own === undefined || reach === undefined || sameReach(own, reach)) return query()
    const say = (whose: Reach): void => void this.#client.query({ sql: reachSql(whose) }).catch(() => {})
    say(reach)
    const result = query()
    say(own)
    return result
  }

  /** From now on nothing more is taken. */
  finish(): void {
    this.#finished = true
  }

  async commit(): Promise<void> {
    if (this.#refusal !== undefined) throw this.#refusal
    if (!this.#begun || this.#concluded) return
    if (this.#client.dead) throw lostConnection(this.#failure)
    const { command } = await this.#client.query({ sql: 'COMMIT' }).catch((error: unknown) => {
      throw this.#client.dead ? unknownOutcome(error) : error
    })
    this.#assertCommitted(command)
  }

  #assertCommitted(command: string | null): void {
    if (this.#client.takeUnreplicated()) throw unreplicatedCommit()
    if (command === 'COMMIT') return
    throw new StrongroomError(
      'internal_error',
      'A statement of this unit failed and its error was swallowed, so the unit was rolled back.',
      {
        cause: this.#failure,
      },
    )
  }

  async rollback(): Promise<void> {
    if (!this.#begun || this.#concluded || this.#client.dead) return
    const timer = setTimeout(() => this.#client.giveUp(), rollbackWait)
    try {
      await this.#client.query({ sql: 'ROLLBACK' })
    } catch {
      // the server rolls back by itself when the connection goes
      this.#client.destroy()
    } finally {
      clearTimeout(timer)
    }
  }

  #send(statement: ClientStatement): Promise<Result> {
    if (this.#finished || this.#concluded) return Promise.reject(sessionFinished())
    if (this.#doom) return Promise.reject(this.#doom)
    return this.#heard(this.#begun ? this.#client.query(statement) : this.#beginWith(statement))
  }

  /** Says whose rows a statement touches, and takes it back: the three travel together, so nothing of the unit gets in between. */
  #sendWithin(reach: Reach | undefined, statement: ClientStatement): Promise<Result> {
    const own = this.#reach
    if (reach === undefined || own === undefined) return this.#send(statement)
    return this.#client.together(() => {
      this.#sendUnheard(reachSql(reach))
      const result = this.#send(statement)
      // where the statement failed this fails too, and so does the rest, until a savepoint from before is gone back to
      this.#sendUnheard(reachSql(own))
      return result
    })
  }

  #sendUnheard(sql: string): void {
    if (this.#finished || this.#concluded) throw sessionFinished()
    // the failure is kept, and every later statement meets it again
    this.#send({ sql }).catch(() => {})
  }

  get #beginSql(): string {
    return `${begin}${this.#limits}${this.#reach === undefined ? '' : `; ${reachSql(this.#reach)}`}`
  }

  #beginWith(statement: ClientStatement): Promise<Result> {
    return this.#client.together(() => {
      this.#begun = this.#client.query({ sql: this.#beginSql })
      // whoever waits for the first statement is told
      this.#begun.catch(() => {})
      return this.#client.query(statement)
    })
  }

  async #heard(pending: Promise<Result>): Promise<Result> {
    try {
      const result = await pending
      if (!this.#confirmed) await this.#confirm()
      return result
    } catch (error) {
      throw this.#note(this.#confirmed ? error : await this.#firstError(error))
    }
  }

  /** The first statement was sent along with BEGIN. Had BEGIN alone failed, the statement would have run outside any transaction. */
  async #confirm(): Promise<void> {
    await this.#begun?.catch((error: unknown) => {
      this.#doom = unknownOutcome(error)
      throw this.#doom
    })
    this.#confirmed = true
  }

  /** Behind a failed BEGIN every statement fails too, and the first error tells why. */
  async #firstError(error: unknown): Promise<unknown> {
    if (this.#doom) return error
    try {
      await this.#begun
    } catch (reason) {
      return reason
    }
    // the server refused the statement itself, so BEGIN was answered; a lost connection answered nothing
    this.#confirmed = !this.#client.dead
    return error
  }

  #note(error: unknown): unknown {
    if (sqlState(error) !== '25P02') this.#failure ??= error
    if (error instanceof Error && (isConflict(error) || this.#client.dead)) this.#doom ??= error
    return error
  }

  /**
   * Runs the statement where nothing can be written: in a read-only savepoint, which takes everything back that it did to the
   * session, too. The three travel together, so no other statement of the unit gets in between.
   */
  async #readOnly(statement: ClientStatement, reach: Reach | undefined): Promise<Result> {
    assertReading(statement.sql)
    // unlike other first statements this one must not run if BEGIN failed: outside a transaction nothing holds it back
    if (!this.#confirmed) await this.#send({ sql: 'SELECT' })
    const [, result] = await this.#client.together(() =>
      Promise.allSettled([
        this.#send({ sql: `SAVEPOINT ${guard}; ${saying(reach)}SET LOCAL transaction_read_only = on` }),
        this.#client.query(statement),
        this.#send({ sql: undoSavepoint(guard) }),
      ]),
    )
    if (result.status === 'fulfilled') return result.value
    if (this.#client.dead || isConflict(result.reason)) throw this.#note(result.reason)
    throw refusal(result.reason)
  }
}

const undoSavepoint = (savepoint: string): string => `ROLLBACK TO SAVEPOINT ${savepoint}; RELEASE SAVEPOINT ${savepoint}`

const saying = (reach: Reach | undefined): string => (reach === undefined ? '' : `${reachSql(reach)}; `)

export function sessionFinished(): UsageError {
  return new UsageError('session_finished', 'This unit of work has ended. Await everything that belongs to it before its callback returns.')
}
