import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import type { Awaitable, Connection, Engine, Reach, Statement, StoredRow } from '../engine/engine.ts'
import { isPromise } from '../engine/is-promise.ts'
import { TimeBudget } from '../engine/time-budget.ts'
import { StrongroomError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { CallerContext, UnitContext } from './context.ts'
import { DryRunEnd } from './dry-run-end.ts'
import { Memory } from './memory.ts'
import { observeUnit } from './observe-unit.ts'
import { type Around, actingContext, callerContext, type ReadOptions, unitContext, type WriteOptions } from './options.ts'
import { reachOf } from './reach.ts'
import { type CommitEffect, Session, type SessionHome } from './session.ts'
import { runTask, type Task, wait } from './task.ts'

export interface UnitsOptions {
  readonly engine: Engine
  readonly home: SessionHome
  readonly logger: Logger
  /** Milliseconds that a unit of work may take. */
  readonly timeLimit: number
  /** Milliseconds that the database may spend on a read. */
  readonly readTimeLimit: number
}

export interface RunOptions {
  readonly write: WriteOptions
  /** The unit may wait for something that is not the database, so it must not share a commit. */
  readonly alone: boolean
  readonly unaudited?: boolean
  /** Milliseconds that the unit may take where it is the outermost one; the storage's limit unless said. */
  readonly timeLimit?: number
  /** It writes much, where it is the outermost one. */
  readonly large?: boolean
  /** As that of a `Unit`. */
  readonly failsEarly?: boolean
}

/** Sessions within each other; a hook that calls itself for ever would overflow the stack in the middle of something. */
const deepest = 100

function tooDeep(): StrongroomError {
  return new StrongroomError(
    'internal_error',
    `Writes and transactions are nested more than ${deepest} deep. Does a hook call itself, by way of what it writes?`,
  )
}

/** Starts units of work, nests them, and knows which one the running code is in. */
export class Units {
  readonly #engine: Engine
  readonly #home: SessionHome
  readonly #logger: Logger
  readonly #timeLimit: number
  readonly #readTimeLimit: number
  readonly #current = new AsyncLocalStorage<Session | undefined>()
  readonly #acting = new AsyncLocalStorage<Around>()

  constructor(options: UnitsOptions) {
    this.#engine = options.engine
    this.#home = options.home
    this.#logger = options.logger
    this.#timeLimit = options.timeLimit
    this.#readTimeLimit = options.readTimeLimit
  }

  /** The session that the running code is in, if any. Throws `session_finished` when it has ended. */
  current(): Session | undefined {
    const session = this.#current.getStore()
    session?.assertOpen()
    return session
  }

  /** Whether the running code is in a session that goes on. */
  isInside(): boolean {
    return this.#current.getStore()?.finished === false
  }

  /** Who acts around the running code. */
  around(): Around | undefined {
    return this.current()?.context ?? this.#acting.getStore()
  }

  /** For whom the running code reads when it says this. */
  callerOf(options: ReadOptions): CallerContext {
    return callerContext(options, this.around())
  }

  /** Whose records the running code touches. */
  reach(): Reach {
    return reachOf(this.callerOf({}))
  }

  /** Calls somebody else's code on behalf of a caller. */
  actingAs<T>(caller: WriteOptions, code: () => T): T {
    return this.#acting.run(actingContext(caller, this.around()), code)
  }

  /** Calls somebody else's code inside a session, so that accessors called there join it. */
  inside<T>(session: Session, code: () => T): T {
    return this.#current.run(session, code)
  }

  /**
   * Runs a read in the current session, or outside any. `caller` says for whom, else the session's caller; `timed` is false for one that
   * may take as long as it needs.
   */
  read<T>(
    caller: ReadOptions,
    body: (connection: Connection, context: CallerContext) => Task<T>,
    { timed = true }: { readonly timed?: boolean } = {},
  ): Awaitable<T> {
    const session = this.current()
    const { principal, tenant, access, memory } = this.callerOf(caller)
    const asked = { principal, tenant, access, asked: true, ...(memory && { memory }) }
    const context = timed ? { ...asked, time: new TimeBudget(this.#readTimeLimit) } : asked
    const reach = reachOf(context)
    if (session) return runTask(inTurn(session, body(session.connection.heldTo(reach), context)))
    return this.#engine.read((connection) => runTask(body(connection, context)), reach)
  }

  /** The row of a statement that reads one, outside any unit. */
  readOne(caller: CallerContext, statement: Statement): Awaitable<StoredRow | undefined> {
    const time = new TimeBudget(this.#readTimeLimit)
    return this.#engine.read((connection) => {
      if (connection.first) return connection.first(statement, time)
      const rows = connection.all(statement, time)
      return isPromise(rows) ? rows.then(([row]) => row) : rows[0]
    }, reachOf(caller))
  }

  /** Like `read` for several statements about one moment of the committed data: outside the current session, too. */
  readMoment<T>(caller: ReadOptions, body: (connection: Connection, context: CallerContext) => Task<T>): Promise<T> {
    const { principal, tenant, access, memory } = this.callerOf(caller)
    const context = { principal, tenant, access, asked: true, ...(memory && { memory }), time: new TimeBudget(this.#readTimeLimit) }
    return this.#engine.readMoment((connection) => runTask(body(connection, context)))
  }

  /** Runs a write as a unit of its own, or nested in the current session. Resolves after the commit of the unit that it started. */
  run<T>(options: RunOptions, body: (session: Session) => Task<T>): Promise<T> {
    return this.#current.getStore() ? this.#inCurrent(options, body) : this.#outermost(options, body)
  }

  async #inCurrent<T>(options: RunOptions, body: (session: Session) => Task<T>): Promise<T> {
    const outer = this.current()
    return outer ? await runTask(this.#nested(outer, options, body)) : await this.#outermost(options, body)
  }

  /** Runs a statement that somebody else wrote, and that only reads, in a session. */
  readStatement<T>(session: Session, work: (connection: Connection) => Awaitable<T>): Awaitable<T> {
    session.assertOpen()
    return runTask(inTurn(this.#innermost(session), statementTask(session.connection, work)))
  }

  /**
   * Runs a statement that somebody else wrote in a session: in turn with the nested sessions, whose rollback would take it along,
   * and on a savepoint, so that its failure leaves the unit usable on every engine.
   */
  runStatement<T>(session: Session, work: (connection: Connection) => Awaitable<T>): Awaitable<T> {
    session.assertOpen()
    return runTask(this.#statement(this.#innermost(session), work))
  }

  /** The session of an outer callback, used in a nested one, cannot wait for that one to end. */
  #innermost(session: Session): Session {
    const current = this.#current.getStore()
    return current && !current.finished && current.isInside(session) ? current : session
  }

  *#statement<T>(session: Session, work: (connection: Connection) => Awaitable<T>): Task<T> {
    const endTurn = yield* session.takeTurn()
    const { connection } = session
    const savepoint = `statement_${session.depth}`
    try {
      yield* wait(connection.savepoint(savepoint))
      try {
        const result = yield* wait(work(connection))
        yield* wait(connection.release(savepoint))
        return result
      } catch (error) {
        yield* this.#undo(session, savepoint, error)
        throw error
      }
    } finally {
      endTurn()
    }
  }

  async #outermost<T>(options: RunOptions, body: (session: Session) => Task<T>): Promise<T> {
    const context = unitContext(options.write, this.around())
    let effects: readonly CommitEffect[] = []
    const keep = (done: readonly CommitEffect[]): void => {
      effects = done
    }
    const { observer } = this.#home
    try {
      const result = await (observer
        ? observeUnit(observer, context, (begun) => this.#write(context, options, body, keep, begun))
        : this.#write(context, options, body, keep, undefined))
      this.#home.committed?.()
      if (effects.length > 0) await this.#runEffects(effects)
      return result
    } catch (error) {
      // The unit threw the answer of its own dry run, so it has the unit's type.
      if (error instanceof DryRunEnd) return error.result as T
      throw error
    }
  }

  /** Hands a unit over to the engine; `begun` is called whenever its work begins. */
  #write<T>(
    context: UnitContext,
    options: RunOptions,
    body: (session: Session) => Task<T>,
    keep: (effects: readonly CommitEffect[]) => void,
    begun: (() => void) | undefined,
  ): Promise<T> {
    // The lane runs units of many callers in one turn: each keeps its own asynchronous context.
    const callersContext = new AsyncResource('strongroom.unit', { requireManualDestroy: true })
    return this.#engine.write<T>({
      context,
      reach: reachOf(context),
      alone: options.alone,
      timeLimit: options.timeLimit ?? this.#timeLimit,
      ...(options.large && { large: true }),
      ...(options.failsEarly && !context.dryRun && { failsEarly: true }),
      run: (connection) =>
        callersContext.runInAsyncScope(() => {
          begun?.()
          const session = new Session(this.#home, connection, context, { unaudited: options.unaudited ?? false })
          return runTask(this.#outermostTask(session, body, keep))
        }),
    })
  }

  *#outermostTask<T>(session: Session, body: (session: Session) => Task<T>, keep: (effects: readonly CommitEffect[]) => void): Task<T> {
    try {
      const result = yield* body(session)
      yield* session.settle()
      yield* session.runChecks()
      if (session.context.dryRun) throw new DryRunEnd(result)
      keep(session.takeEffects())
      return result
    } finally {
      session.finish()
    }
  }

  *#nested<T>(outer: Session, options: RunOptions, body: (session: Session) => Task<T>): Task<T> {
    if (outer.depth >= deepest) throw tooDeep()
    const endTurn = yield* outer.takeTurn()
    const context = unitContext(options.write, outer.context)
    const session = new Session(this.#home, outer.connection.heldTo(reachOf(context)), context, {
      parent: outer,
      ...(options.unaudited !== undefined && { unaudited: options.unaudited }),
    })
    const savepoint = `nested_${session.depth}`
    try {
      yield* wait(outer.connection.savepoint(savepoint))
      try {
        const result = yield* body(session)
        yield* session.settle()
        if (session.context.dryRun && !outer.context.dryRun) {
          yield* session.runChecks()
          throw new DryRunEnd(result)
        }
        yield* wait(outer.connection.release(savepoint))
        session.passOn(outer)
        return result
      } catch (error) {
        yield* this.#undo(outer, savepoint, error)
        // A nested dry run ends with its own rollback; its answer has the type of its body.
        if (error instanceof DryRunEnd) return error.result as T
        throw error
      }
    } finally {
      session.finish()
      endTurn()
    }
  }

  /** Rolls back to a savepoint. Should that fail, the unit cannot go on, and what led here tells more than the rollback. */
  *#undo(outer: Session, savepoint: string, reason: unknown): Task<void> {
    try {
      yield* wait(outer.connection.rollbackTo(savepoint))
    } catch (error) {
      throw reason instanceof DryRunEnd ? error : reason
    }
  }

  #afterUnit({ principal, tenant, access }: CallerContext): Around {
    return { ...this.#acting.getStore(), principal, tenant, access, memory: new Memory() }
  }

  /** Outside the unit, and still for the same caller. */
  async #runEffects(effects: readonly CommitEffect[]): Promise<void> {
    for (const { run, caller, own } of effects) {
      try {
        const waiting = own ? run() : this.#acting.run(this.#afterUnit(caller), () => this.#current.run(undefined, run))
        if (isPromise(waiting as Awaitable<unknown>)) await waiting
      } catch (error) {
        this.#logger.error('An afterCommit hook failed; the write itself is stored.', error)
      }
    }
  }
}

/** Reads while no nested session runs: one that fails leaves the connection unusable until its savepoint is undone. */
function* inTurn<T>(session: Session, task: Task<T>): Task<T> {
  const endTurn = yield* session.takeTurn(false)
  try {
    return yield* task
  } finally {
    endTurn()
  }
}

function* statementTask<T>(connection: Connection, work: (connection: Connection) => Awaitable<T>): Task<T> {
  return yield* wait(work(connection))
}
