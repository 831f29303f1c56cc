import type { ColumnDefinition } from './engine.ts'

/** A column that gets its values from a list. */
export type ListedColumn = Pick<ColumnDefinition, 'name' | 'kind' | 'precision' | 'scale'>

/** An INSERT of any number of rows, by names. Parameters are a list for each of `columns`, in their order. */
export interface ListInsert {
  readonly table: string
  readonly columns: readonly ListedColumn[]
  /** Columns that get the one answer of a SELECT, which has no parameters. */
  readonly computed: Readonly<Record<string, string>>
  readonly returning: readonly string[]
}

/** Rows that come column by column: one short statement for however many there are, which is parsed once. */
export interface ListInserts {
  statement(insert: ListInsert): string
  /** The parameter for one column's values, which are in the engine's own form. */
  parameter(values: readonly unknown[]): string
}
