import type { Connection, Reach, Statement, StoredRow } from '../engine.ts'
import type { TimeBudget } from '../time-budget.ts'
import type { UnitConnection } from './connection.ts'

/** The connection of a unit for somebody inside it who touches other rows than the unit does. */
export class HeldConnection implements Connection {
  readonly #unit: UnitConnection
  readonly #reach: Reach

  constructor(unit: UnitConnection, reach: Reach) {
    this.#unit = unit
    this.#reach = reach
  }

  heldTo(reach: Reach): Connection {
    return this.#unit.heldTo(reach)
  }

  all(statement: Statement, time?: TimeBudget): Promise<StoredRow[]> {
    return this.#unit.all(statement, time, this.#reach)
  }

  run(statement: Statement): Promise<number> {
    return this.#unit.run(statement, this.#reach)
  }

  raw(statement: Statement, options: { readonly write: boolean }): Promise<{ rows: StoredRow[]; changed: number }> {
    return this.#unit.raw(statement, options, this.#reach)
  }

  savepoint(name: string): void {
    this.#unit.savepoint(name)
  }

  release(name: string): void {
    this.#unit.release(name)
  }

  rollbackTo(name: string): Promise<void> {
    return this.#unit.rollbackTo(name)
  }

  lockTable(table: string): Promise<void> {
    return this.#unit.lockTable(table)
  }
}
