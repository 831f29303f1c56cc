import type { ColumnDefinition, IndexShape, ReferenceShape } from './engine.ts'

/** A column that a table gets. */
export interface AddedColumn {
  readonly column: ColumnDefinition
  /** What the rows that stand are given, in the engine's own form; null where nothing is said. */
  readonly fill?: unknown
}

/**
 * What is changed of one table: plain data, in the order in which it is done. Names of columns are those from before the renames in
 * `dropReferences` and `renameColumns` alone.
 */
export interface TableChange {
  readonly table: string
  /** Names of indexes. */
  readonly dropIndexes?: readonly string[]
  readonly dropReferences?: readonly ReferenceShape[]
  /** Indexes that are called otherwise; `to` has the new names of everything. */
  readonly renameIndexes?: readonly { readonly from: string; readonly to: IndexShape }[]
  /** Names of constraints; nobody is told them on SQLite, where they stay. */
  readonly renameReferences?: readonly { readonly from: string; readonly to: string }[]
  readonly renameColumns?: readonly { readonly from: string; readonly to: string }[]
  readonly renameTo?: string
  readonly dropColumns?: readonly string[]
  readonly addColumns?: readonly AddedColumn[]
  /** Columns whose null, CHECK or type (where every value stays as it is) is another one from now on. */
  readonly alterColumns?: readonly ColumnDefinition[]
  readonly addReferences?: readonly ReferenceShape[]
  readonly addIndexes?: readonly IndexShape[]
}

/** Where `setColumn` writes. */
export interface ColumnTarget {
  readonly table: string
  readonly id: ColumnDefinition
  readonly column: ColumnDefinition
}
