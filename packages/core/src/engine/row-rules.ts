import type { StoredKind } from './engine.ts'

/** A column of a table, and how its values are stored. */
export type RuledColumn = StoredKind & { readonly name: string }

/** A value for a column, in code form. */
export interface RuledValue {
  readonly column: RuledColumn
  readonly value: unknown
}

/** Live rows that go over into a restored database. Conditions are SQL that means the same on all engines. */
export interface CarriedRows {
  readonly table: string
  readonly columns: readonly string[]
  /** `replace`: the table holds these rows alone. `merge`: those of the file that have the same key give way, others stay. */
  readonly how: 'replace' | 'merge'
  /** Each list of columns tells one row from another. */
  readonly keys: readonly (readonly string[])[]
  /** Which live rows; all where it is left out. */
  readonly where: string | undefined
}

/** Rows of a restored database that are ended: removed, or given these values. */
export interface EndedRows {
  readonly table: string
  readonly where: string
  /** Undefined where they are removed. */
  readonly set: readonly RuledValue[] | undefined
}

/** What happens to rows while a database gets another content, in this order. */
export interface RowRules {
  readonly endInFile: readonly EndedRows[]
  readonly carry: readonly CarriedRows[]
  /** Also to the rows that were carried over. */
  readonly endInAll: readonly EndedRows[]
}
