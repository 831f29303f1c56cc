import type { FieldKind, Model } from '../../model/model.ts'

/** A record of another table that a field points to. */
export interface ReferenceDefinition {
  readonly table: string
  /** The other table's id. */
  readonly field: string
}

/** A field as migrations, and the library's memory of tables, spell it: the same on every engine. */
export interface FieldDefinition {
  readonly type: FieldKind
  /** It takes null; it does not unless said. */
  readonly nullable?: boolean
  /** The only values that it takes. */
  readonly values?: readonly (string | number)[]
  /** Decimal: digits in all, and behind the point. */
  readonly precision?: number
  readonly scale?: number
  readonly references?: ReferenceDefinition
}

export interface IndexDefinition {
  readonly fields: readonly string[]
  readonly unique?: boolean
  /** It holds live records only: those whose `deleted_at` is null. */
  readonly liveOnly?: boolean
  /** It holds those records only that have a value in its first field: for what is looked up by a value, and is mostly null. It keeps nothing unique. */
  readonly presentOnly?: boolean
}

/** A table in the terms of no engine. */
export interface TableDefinition {
  readonly id: { readonly name: string; readonly type: Model['idType'] }
  /** Every column but the id. */
  readonly fields: Readonly<Record<string, FieldDefinition>>
  readonly indexes?: readonly IndexDefinition[]
}
