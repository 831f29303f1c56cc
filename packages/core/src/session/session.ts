import type { Kysely } from 'kysely'
import type { AnyDatabase, Connection } from '../engine/engine.ts'
import { UsageError } from '../errors.ts'
import type { CallerContext, UnitContext } from './context.ts'
import type { StorageObserver } from './observer.ts'
import { type Task, wait } from './task.ts'

/** What a session needs from the storage that opened it. */
export interface SessionHome {
  /** A Kysely handle that runs its statements in the session. */
  kyselyFor(session: Session): Kysely<AnyDatabase>
  /** Is told what happens, where somebody wants to know. */
  readonly observer?: StorageObserver | undefined
  /** Is told of each unit that was committed. */
  readonly committed?: (() => void) | undefined
}

/** A check that must hold when the unit commits, and may lock what it counts: it runs last. */
export type CommitCheck = (session: Session) => Task<void>

/** Something that happens after the commit, and for whom. */
export interface CommitEffect {
  readonly run: () => unknown
  readonly caller: CallerContext
  /** It is the library's own: quick, and the same for every caller. */
  readonly own?: true
}

/**
 * One unit of work as the code inside it sees it: the connection, the context, and what has to happen at the commit.
 * A nested transaction, and every write inside a transaction, is a session of its own on a savepoint.
 */
export class Session {
  readonly context: UnitContext
  readonly connection: Connection
  /** Statements of this session may write to tables that the audit log watches. */
  readonly unaudited: boolean
  /** How many sessions this one is nested in. */
  readonly depth: number
  readonly #home: SessionHome
  readonly #root: Session
  readonly #parent: Session | undefined
  readonly #checks = new Map<string, CommitCheck>()
  #effects: CommitEffect[] = []
  #kysely: Kysely<AnyDatabase> | undefined
  #tail: Promise<unknown> | undefined
  #finished = false
  #nested = 0
  #ending = false

  constructor(home: SessionHome, connection: Connection, context: UnitContext, options: { parent?: Session; unaudited?: boolean } = {}) {
    this.#home = home
    this.connection = connection
    this.context = context
    this.unaudited = options.unaudited ?? options.parent?.unaudited ?? false
    this.depth = options.parent ? options.parent.depth + 1 : 0
    this.#root = options.parent ? options.parent.#root : this
    this.#parent = options.parent
  }

  /** A Kysely instance whose statements are part of this unit. Throws `session_finished` after its end. */
  get kysely(): Kysely<AnyDatabase> {
    this.#kysely ??= this.#home.kyselyFor(this)
    return this.#kysely
  }

  get observer(): StorageObserver | undefined {
    return this.#home.observer
  }

  /** How many sessions were nested in this unit so far: when it has grown, somebody may have written. */
  get nestedCount(): number {
    return this.#root.#nested
  }

  get finished(): boolean {
    return this.#finished
  }

  /** Whether this session is the other one, or nested in it. */
  isInside(other: Session): boolean {
    for (let session: Session | undefined = this; session; session = session.#parent) if (session === other) return true
    return false
  }

  /** Says that whoever gets this session does the last thing in it. */
  ending(): this {
    this.#ending = true
    return this
  }

  /** Nothing follows in the unit once this is done: no session around it, no check, and no rollback of a dry run. */
  get ends(): boolean {
    return this.#ending && this.isAlone
  }

  /** It is a unit by itself: nothing but its own work stands between here and the COMMIT. */
  get isAlone(): boolean {
    return !this.#parent && this.#checks.size === 0 && !this.#tail && !this.context.dryRun
  }

  /** Throws when the unit has ended; a session outlives it when a promise inside was not awaited. */
  assertOpen(): void {
    if (!this.#finished) return
    throw new UsageError(
      'session_finished',
      'This transaction has ended. Await everything that belongs to it before its callback returns, or start a new transaction.',
    )
  }

  /** Runs after the unit has committed, outside it; forgotten when this session, or one around it, is rolled back. */
  afterCommit(effect: () => unknown): void {
    this.#effects.push({ run: effect, caller: this.context })
  }

  /** The same for something of the library's own, which is quick and has no caller. */
  noteCommit(effect: () => void): void {
    this.#effects.push({ run: effect, caller: this.context, own: true })
  }

  /** Registers a check that runs once, at the end of the outermost unit; forgotten when this session, or one around it, is rolled back. */
  beforeCommit(name: string, check: CommitCheck): void {
    this.#checks.set(name, check)
  }

  /** Runs the registered checks, always in the same order: they may lock, and two units must not wait for each other. */
  *runChecks(): Task<void> {
    for (const [, check] of [...this.#checks].sort(([a], [b]) => (a < b ? -1 : 1))) yield* check(this)
  }

  /** Hands what has to happen at the commit over to the session around this one, which goes on. */
  passOn(outer: Session): void {
    for (const [name, check] of this.#checks) outer.#checks.set(name, check)
    for (const effect of this.takeEffects()) outer.#effects.push(effect)
  }

  /** Forgets the effects that were added by work that was undone since there were `count` of them. */
  dropEffects(count: number): void {
    this.#effects.length = count
  }

  get effectCount(): number {
    return this.#effects.length
  }

  takeEffects(): CommitEffect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  /** Waits for the turn of a nested session: two at once would interleave their savepoints. A read takes one too, and writes nothing. */
  *takeTurn(writes = true): Task<() => void> {
    this.assertOpen()
    while (this.#tail) yield* wait(this.#tail)
    this.assertOpen()
    let release = (): void => undefined
    const turn = new Promise<void>((resolve) => {
      release = resolve
    })
    this.#tail = turn
    if (writes) this.#root.#nested++
    return () => {
      if (this.#tail === turn) this.#tail = undefined
      release()
    }
  }

  /** Waits until no nested session runs or waits: whatever was started inside belongs to the unit. */
  *settle(): Task<void> {
    while (this.#tail) yield* wait(this.#tail)
  }

  finish(): void {
    this.#finished = true
  }
}
