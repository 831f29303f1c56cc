import type { Connection, LastStatement, Reach, StoredRow } from '../engine/engine.ts'
import type { Session } from './session.ts'

/**
 * The last statements of a unit, gathered to leave together with its COMMIT: a connection that says of every statement that it has changed
 * nothing, and sends none before `send`. For code that does not ask what came of them.
 */
export class Conclusion implements Connection {
  readonly #conclude: (statements: readonly LastStatement[]) => Promise<StoredRow[][]>
  readonly #inner: Connection
  readonly #statements: LastStatement[]
  readonly #reach: Reach | undefined

  private constructor(
    inner: Connection,
    conclude: (statements: readonly LastStatement[]) => Promise<StoredRow[][]>,
    statements: LastStatement[] = [],
    reach?: Reach,
  ) {
    this.#inner = inner
    this.#conclude = conclude
    this.#statements = statements
    this.#reach = reach
  }

  /** Undefined where something may follow in the unit, and where it would save nothing. */
  static of({ ends, connection }: Session): Conclusion | undefined {
    return ends && connection.conclude
      ? new Conclusion(connection, (statements) => connection.conclude?.(statements) ?? refuse())
      : undefined
  }

  /** Sends them. Rejects with what the first of them that failed was refused for. */
  async send(): Promise<void> {
    await this.#conclude(this.#statements)
  }

  /** What it changes is known to the database alone, which is told what it has to be. */
  run(statement: LastStatement): number {
    this.#statements.push(this.#reach === undefined ? statement : { ...statement, reach: this.#reach })
    return statement.changes ?? 0
  }

  heldTo(reach: Reach): Connection {
    // Where the database knows no tenants the inner one is the same for everybody.
    return this.#inner.heldTo(reach) === this.#inner ? this : new Conclusion(this.#inner, this.#conclude, this.#statements, reach)
  }

  all = refuse
  raw = refuse
  savepoint = refuse
  release = refuse
  rollbackTo = refuse
  lockTable = refuse
}

function refuse(): never {
  throw new Error('Whoever concludes a unit asks nothing more.')
}
