import type { AliasableExpression, Expression } from 'kysely'
import type { StoredKind } from './engine.ts'

/** Writes records as JSON in an engine's SQL, letter by letter as JSON.stringify writes their wire form. */
export interface JsonFunctions {
  /** What stands for a stored value in `object`; undefined for a kind of value that this database would write otherwise. */
  value(field: StoredKind, column: Expression<unknown>): Expression<unknown> | undefined
  /** An object has so many members at most. */
  readonly mostMembers: number
  /** An object with these members, in this order. */
  object(members: readonly (readonly [name: string, value: Expression<unknown>])[]): AliasableExpression<string>
  /** Objects one after the other, in the order of their rows, with commas between them; null for none. */
  list(objects: Expression<unknown>): AliasableExpression<string | null>
}
