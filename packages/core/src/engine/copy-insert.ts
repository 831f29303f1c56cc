import type { Statement, StoredRow } from './engine.ts'

/** What is asked before rows are copied into a table. */
export interface CopyQuestion {
  readonly table: string
  /** The id's column, where the database counts the ids of these rows. */
  readonly counted: string | undefined
  /** How many CHECKs of the table are the model's. */
  readonly checks: number
  readonly rows: number
  /** SELECTs without parameters, of which each has one answer. */
  readonly computed: readonly string[]
}

/** What the database has to say to it. */
export interface CopyAnswer {
  /** As many as there are rows, in their order; empty where none were asked for. Past 2^53 they are not exact. */
  readonly ids: readonly number[]
  /** The answers of `computed`, in the engine's own form. */
  readonly computed: readonly unknown[]
}

/** Rows of a table that are put together, to leave as one statement. */
export interface RowCopies {
  /** Of the rows that were added since the last statement. */
  readonly characters: number
  /** Adds a row: its values in the order of the columns, in the engine's own form. */
  add(row: readonly unknown[]): void
  /** The statement that inserts the rows which were added since the last one. */
  statement(): Statement
}

/** Rows that come one after the other behind a statement: the quickest way for many of them, where nothing forbids it. */
export interface CopyInserts {
  /** With fewer of them to ask first takes longer than it saves; infinite for tables of which the answer is known. */
  fewestRows(table: string): number
  /** Asks whether rows can be copied into a table, and for what has to be known of them before. */
  question(question: CopyQuestion): Statement
  /** Undefined where an INSERT would do something else than a copy, or a copy is refused. */
  answer(row: StoredRow | undefined): CopyAnswer | undefined
  into(table: string, columns: readonly string[]): RowCopies
}
