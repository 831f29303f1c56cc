import { createHash } from 'node:crypto'
import { type Connection, ConstraintViolation } from '../engine/engine.ts'
import { ConflictError, StrongroomError, TransactionTimeoutError } from '../errors.ts'
import type { BoundTable, FieldValues } from '../query/bound-table.ts'
import { equals } from '../query/filter.ts'
import { deleteRows, insertRows, selectRows, updateRows } from '../query/rows.ts'
import type { WriteOptions } from '../session/options.ts'
import type { Session } from '../session/session.ts'
import { type Task, wait } from '../session/task.ts'
import type { RunOptions, Units } from '../session/units.ts'

/** What tells a request that may come again from others. */
export interface OnceKey {
  /** The client's own name for the request. */
  readonly key: string
  /** What else tells requests apart, e.g. actor, method and path: the same key elsewhere is another request. */
  readonly scope: readonly string[]
  /** What is asked; the same key with another content is refused. */
  readonly content: string
}

/** A request that may come again. */
export interface OnceOptions extends WriteOptions, OnceKey {}

/** What came of a request. */
export interface OnceResult<Answer> {
  readonly answer: Answer
  /** The answer is the one that an earlier request got; nothing was done now. */
  readonly replayed: boolean
}

/** Milliseconds that an answer is kept: 24 hours. */
const keptFor = 86_400_000

/** Milliseconds between two clean-ups of this process, and rows that one of them removes. */
const cleanUp = { every: 600_000, rows: 200 }

/** Runs requests that carry a key once: the answer is stored in the transaction that does the work. */
export class Once {
  readonly #table: BoundTable
  readonly #units: Units
  #cleanedAt = Number.NEGATIVE_INFINITY

  constructor(table: BoundTable, units: Units) {
    this.#table = table
    this.#units = units
  }

  /** Does the work and keeps its answer, or hands out the answer that is kept. A throw keeps nothing: the next try does the work. */
  async run<Answer>(options: OnceOptions, work: () => Promise<Answer>): Promise<OnceResult<Answer>> {
    const { key, scope, content, ...write } = options
    return this.runUnit({ write, alone: true }, { key, scope, content }, (session) => wait(this.#units.inside(session, work)))
  }

  /** The same for a unit of the library's own. */
  async runUnit<Answer>(
    how: RunOptions,
    { key, scope, content }: OnceKey,
    work: (session: Session) => Task<Answer>,
  ): Promise<OnceResult<Answer>> {
    const attempt = (among: 'own' | 'every' = 'own') =>
      this.#units.run(how, (session) => {
        const { tenant, principal } = session.context
        // Two callers may have one name.
        const caller = principal && [principal.id, principal.tenant ?? null, principal.name ?? null]
        const request = digest([key, tenant, ...(caller ? [caller] : []), ...scope])
        return this.#attempt({ session, connection: connectionOf(session, among) }, request, digest([content]), work)
      })
    try {
      return await attempt()
    } catch (error) {
      // Another request with this key has committed meanwhile: now its answer is there.
      // Those of older versions of the library are nobody's in particular: the digest says that this one is ours.
      if (error instanceof ConstraintViolation && error.table === this.#table.model.name) return await attempt('every')
      throw error
    }
  }

  *#attempt<Answer>(
    place: Place,
    request: string,
    fingerprint: string,
    work: (session: Session) => Task<Answer>,
  ): Task<OnceResult<Answer>> {
    const { session, connection } = place
    const { context } = session
    const kept = yield* this.#find(place, request)
    if (kept) {
      if (kept['fingerprint'] !== fingerprint) throw anotherContent()
      if (typeof kept['answer'] !== 'string') throw underWay()
      // It was written below, by a request with the same content.
      return { answer: JSON.parse(kept['answer']) as Answer, replayed: true }
    }
    const row: FieldValues = { request, fingerprint, answer: null, kept_at: new Date(), tenant: context.tenant }
    yield* this.#claim(place, row)
    const answer = yield* work(session)
    yield* updateRows(this.#table, connection, context, [row], { answer: JSON.stringify(answer) })
    yield* this.#removeExpired(place)
    return { answer, replayed: false }
  }

  /** Waits, on engines whose units overlap, for the request that claimed the key before. */
  *#claim({ connection }: Place, row: FieldValues): Task<void> {
    try {
      yield* insertRows(this.#table, connection, [row])
    } catch (error) {
      throw error instanceof TransactionTimeoutError ? underWay() : error
    }
  }

  *#find({ session: { context }, connection }: Place, request: string): Task<FieldValues | undefined> {
    const wanted = { filter: equals('request', request), includeDeleted: true, order: [], lock: true }
    const [kept] = yield* selectRows(this.#table, connection, context, wanted)
    if (!kept || !isExpired(kept['kept_at'])) return kept
    yield* deleteRows(this.#table, connection, context, [request])
    return undefined
  }

  /** Whose they are does not matter: some tenants never come back, and what was answered to them holds their records. */
  *#removeExpired({ session: { connection } }: Place): Task<void> {
    // By a clock that nobody sets.
    const now = performance.now()
    if (now - this.#cleanedAt < cleanUp.every) return
    this.#cleanedAt = now
    const all = connection.heldTo('every')
    const filter = { type: 'compare', field: 'kept_at', comparison: 'lt', value: new Date(Date.now() - keptFor) } as const
    const order = [{ field: 'kept_at', descending: false }]
    const expired = yield* selectRows(this.#table, all, undefined, { filter, includeDeleted: true, order, limit: cleanUp.rows })
    yield* deleteRows(
      this.#table,
      all,
      undefined,
      expired.map((row) => row['request']),
    )
    // There may be more: with more requests than that in such a while they would never get fewer.
    if (expired.length === cleanUp.rows) this.#cleanedAt = Number.NEGATIVE_INFINITY
  }
}

/** Where an answer is kept: the database shows a tenant its own alone, and those of nobody in particular to whoever may see all. */
interface Place {
  readonly session: Session
  readonly connection: Connection
}

function connectionOf({ connection, context }: Session, among: 'own' | 'every'): Connection {
  return among === 'every' || context.tenant === null ? connection.heldTo('every') : connection
}

function isExpired(keptAt: unknown): boolean {
  return keptAt instanceof Date && Date.now() - keptAt.getTime() >= keptFor
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

function anotherContent(): StrongroomError {
  return new StrongroomError('idempotency_mismatch', 'This Idempotency-Key was used for another request. Use a new key for a new request.')
}

function underWay(): ConflictError {
  return new ConflictError('state_conflict', 'Another request with this Idempotency-Key is under way. Repeat this one a little later.')
}
