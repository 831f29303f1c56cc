import type { Expression } from 'kysely'
import type { Connection, Statement, StoredRow } from '../engine/engine.ts'
import { UsageError } from '../errors.ts'
import { makeRowVersion } from '../model/row-version.ts'
import type { BoundTable } from '../query/bound-table.ts'
import type { Session } from '../session/session.ts'
import { type Task, wait } from '../session/task.ts'
import type { Units } from '../session/units.ts'

/** How something is counted. */
export interface CountOptions {
  /** Milliseconds from the first count to the counter's end, after which it begins anew. */
  readonly period: number
  /** What is added; 1 unless said. */
  readonly amount?: number
}

/** A counter after something was added. */
export interface Count {
  readonly total: number
  /** When it begins anew. */
  readonly endsAt: Date
}

/** Milliseconds between two clean-ups of this process. */
const cleanUpEvery = 600_000
/** Counters that stay after a clean-up, some 50 MB of them: whoever is counted by a name of their choice must not fill the disk. */
const mostKept = 200_000

/** Characters. */
const longestName = 255

function isName(name: unknown): boolean {
  return typeof name === 'string' && name !== '' && name.length <= longestName && !name.includes('\0') && name.isWellFormed()
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1
}

/** Counts in the database, so that all processes that use it see one total. Nothing is in the audit log. */
export class SharedCounters {
  readonly #table: BoundTable
  readonly #units: Units
  /** By a clock that nobody sets. */
  #cleanedAt = Number.NEGATIVE_INFINITY

  constructor(table: BoundTable, units: Units) {
    this.#table = table
    this.#units = units
  }

  /** Adds to a counter and answers its total: one statement, so that nobody's count is lost. */
  async add(name: string, { period, amount = 1 }: CountOptions): Promise<Count> {
    if (!isName(name)) throw new UsageError('invalid_options', `A counter's name is text of 1 to ${longestName} characters.`)
    if (!isCount(period) || !isCount(amount)) throw new UsageError('invalid_options', 'period and amount are whole numbers from 1 on.')
    return await this.#units.run({ write: {}, alone: false }, (session) => this.#add(session, name, amount, period))
  }

  /**
   * Reads counters without counting. Those whose period is over, or has not begun, are not among them.
   * @example
   * const failures = (await storage.counters.read(['login:ada'])).get('login:ada')?.total ?? 0
   */
  async read(names: readonly string[]): Promise<ReadonlyMap<string, Count>> {
    const { engine, model } = this.#table
    const statement = engine.builder
      .selectFrom(model.name)
      .select(['name', 'total', 'ends_at'])
      .where('name', 'in', names)
      .where('ends_at', '>', this.#instant(Date.now()))
      .compile()
    const rows = names.length === 0 ? [] : await engine.read((connection) => connection.all(statement))
    return new Map(rows.map((row) => [String(row['name']), this.#countOf(row)]))
  }

  /**
   * Lets a counter begin anew with the next count.
   * @example await storage.counters.reset('login:ada')
   */
  async reset(name: string): Promise<void> {
    const { engine, model } = this.#table
    const statement = engine.builder.deleteFrom(model.name).where('name', '=', name).compile()
    await this.#units.run({ write: {}, alone: false }, function* ({ connection }) {
      yield* wait(connection.run(statement))
    })
  }

  *#add({ connection }: Session, name: string, amount: number, period: number): Task<Count> {
    const now = Date.now()
    if (performance.now() - this.#cleanedAt >= cleanUpEvery) {
      this.#cleanedAt = performance.now()
      yield* this.#cleanUp(connection, now)
    }
    const [row] = yield* wait(connection.all(this.#addition(name, amount, now, now + period)))
    return this.#countOf(row)
  }

  #countOf(row: StoredRow | undefined): Count {
    // A DateTime field gives Dates.
    return { total: Number(row?.['total']), endsAt: this.#table.decodeField('ends_at', row?.['ends_at']) as Date }
  }

  /** Forgets those that are over, and, where there are too many, those that would be over first. */
  *#cleanUp(connection: Connection, now: number): Task<void> {
    const { engine, model } = this.#table
    yield* wait(connection.run(engine.builder.deleteFrom(model.name).where('ends_at', '<=', this.#instant(now)).compile()))
    const beyond = engine.builder.selectFrom(model.name).select('ends_at').orderBy('ends_at', 'desc').limit(1).offset(mostKept)
    const [last] = yield* wait(connection.all(beyond.compile()))
    if (last) yield* wait(connection.run(engine.builder.deleteFrom(model.name).where('ends_at', '<=', last['ends_at']).compile()))
  }

  #addition(name: string, amount: number, now: number, end: number): Statement {
    const { engine, model } = this.#table
    const over = this.#instant(now)
    return engine.builder
      .insertInto(model.name)
      .values({ name, total: amount, ends_at: this.#instant(end), row_version: makeRowVersion() })
      .onConflict((conflict) =>
        conflict.column('name').doUpdateSet((eb) => {
          const isOver = eb(`${model.name}.ends_at`, '<=', over)
          const anew = (column: string, goesOn: Expression<unknown>) =>
            eb
              .case()
              .when(isOver)
              .then(eb.ref(`excluded.${column}`))
              .else(goesOn)
              .end()
          return {
            total: anew('total', eb(`${model.name}.total`, '+', eb.ref('excluded.total'))),
            ends_at: anew('ends_at', eb.ref(`${model.name}.ends_at`)),
          }
        }),
      )
      .returning(['total', 'ends_at'])
      .compile()
  }

  #instant(time: number): unknown {
    return this.#table.encode('ends_at', new Date(time))
  }
}
