import type { LateWrite } from '../late-write.ts'
import type { ChangeMarks } from './change-marks.ts'
import { SqliteConnection } from './connection.ts'
import type { SqliteDatabase, SqliteStatement } from './driver.ts'
import type { Handle } from './handle.ts'

const none: readonly unknown[] = []

const unitSavepoint = 'strongroom_unit'

/** How a transaction begins. */
interface Beginning {
  readonly foreignKeys: boolean
  /**
   * What SQLite keeps to undo savepoints stays in memory: from 16 pages on, and a record with its audit entry changes as many, it would
   * go to a file, which costs a write more than all else (measured: 48 against 29 µs). What sorts whole tables is not to do so in memory.
   */
  readonly inMemory: boolean
}

/** The statements that open and close transactions on the writer, prepared once. */
export class TransactionControl {
  readonly #handle: Handle
  readonly #database: SqliteDatabase
  readonly #begin: SqliteStatement
  readonly #commit: SqliteStatement
  readonly #rollback: SqliteStatement
  readonly #savepoint: SqliteStatement
  readonly #release: SqliteStatement
  readonly #rollbackTo: SqliteStatement
  readonly #marks: ChangeMarks | undefined
  readonly #late: LateWrite | undefined
  #foreignKeys = true
  #inMemory = false

  constructor(handle: Handle) {
    const { database, marks, late } = handle
    this.#handle = handle
    this.#late = late
    this.#database = database
    this.#marks = marks
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
    this.#rollback = database.prepare('ROLLBACK')
    this.#savepoint = database.prepare(`SAVEPOINT ${unitSavepoint}`)
    this.#release = database.prepare(`RELEASE ${unitSavepoint}`)
    this.#rollbackTo = database.prepare(`ROLLBACK TO ${unitSavepoint}`)
  }

  get inTransaction(): boolean {
    return this.#database.inTransaction
  }

  /** Takes the write lock at once: a transaction that begins as a reader cannot wait for it later. */
  begin({ foreignKeys, inMemory }: Beginning = { foreignKeys: true, inMemory: false }): void {
    this.rollBack()
    this.#late?.begin()
    if (inMemory !== this.#inMemory) {
      this.#database.pragma(`temp_store = ${inMemory ? 'MEMORY' : 'DEFAULT'}`)
      this.#inMemory = inMemory
    }
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

  /** Writes what was put off until the commit. */
  settle(): void {
    // A transaction that SQLite has dropped has nothing to be settled, and its commit fails.
    if (this.#database.inTransaction) this.#late?.settleLast(new SqliteConnection(this.#handle, Number.POSITIVE_INFINITY))
  }

  commit(): void {
    try {
      this.#commit.run(none)
      this.#late?.committed()
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
    this.#late?.openSavepoint(unitSavepoint)
  }

  keepSavepoint(): void {
    this.#release.run(none)
    this.#late?.keepSavepoint(unitSavepoint)
  }

  dropSavepoint(): void {
    this.#rollbackTo.run(none)
    this.#release.run(none)
    this.#late?.dropSavepoint(unitSavepoint)
  }
}
