import type { ChangeMarks } from './change-marks.ts'
import type { SqliteDatabase, SqliteStatement } from './driver.ts'
import type { Handle } from './handle.ts'

const none: readonly unknown[] = []

/** The statements that open and close transactions on the writer, prepared once. */
export class TransactionControl {
  readonly #database: SqliteDatabase
  readonly #begin: SqliteStatement
  readonly #commit: SqliteStatement
  readonly #rollback: SqliteStatement
  readonly #savepoint: SqliteStatement
  readonly #release: SqliteStatement
  readonly #rollbackTo: SqliteStatement
  readonly #marks: ChangeMarks | undefined
  #foreignKeys = true

  constructor({ database, marks }: Pick<Handle, 'database' | 'marks'>) {
    this.#database = database
    this.#marks = marks
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
    this.#rollback = database.prepare('ROLLBACK')
    this.#savepoint = database.prepare('SAVEPOINT strongroom_unit')
    this.#release = database.prepare('RELEASE strongroom_unit')
    this.#rollbackTo = database.prepare('ROLLBACK TO strongroom_unit')
  }

  get inTransaction(): boolean {
    return this.#database.inTransaction
  }

  /** Takes the write lock at once: a transaction that begins as a reader cannot wait for it later. */
  begin({ foreignKeys } = { foreignKeys: true }): void {
    this.rollBack()
    if (foreignKeys) this.foreignKeysOn()
    else {
      this.#database.pragma('foreign_keys = OFF')
      this.#foreignKeys = false
    }
    this.#begin.run(none)
  }

  /** Does nothing inside a transaction: the next `begin` does it then. */
  foreignKeysOn(): void {
    if (this.#foreignKeys || this.#database.inTransaction) return
    this.#database.pragma('foreign_keys = ON')
    this.#foreignKeys = true
  }

  commit(): void {
    try {
      this.#commit.run(none)
    } finally {
      this.#marks?.transactionEnded()
    }
  }

  /** Ends the transaction if there still is one; should even that fail, the next `begin` tries again. */
  rollBack(): void {
    if (!this.#database.inTransaction) return
    try {
      this.#rollback.run(none)
    } catch {
      // Whoever waits gets the error that led here, which tells more.
    } finally {
      this.#marks?.transactionEnded()
    }
  }

  openSavepoint(): void {
    this.#savepoint.run(none)
  }

  keepSavepoint(): void {
    this.#release.run(none)
  }

  dropSavepoint(): void {
    this.#rollbackTo.run(none)
    this.#release.run(none)
  }
}
