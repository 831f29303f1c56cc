import type { WireModel } from '@strongroom/contract'
import type { Include, IncludeName, Models, RecordOf } from './model-types.ts'
import type { CallOptions } from './options.ts'
import type { Instant } from './past.ts'
import type { Where } from './where.ts'

type OrderTerm<Name extends string> = Name | `-${Name}`

/** A field to sort by, or several, first the most important; `-` before a name sorts downwards. */
export type OrderBy<Model extends WireModel> =
  | OrderTerm<keyof RecordOf<Model> & string>
  | readonly OrderTerm<keyof RecordOf<Model> & string>[]

/** Which records, and which page of them. */
export interface ListOptions<Model extends WireModel> extends CallOptions {
  /** Conditions that must all hold: `{ role: 'admin', age: { gte: 18 } }`. */
  readonly where?: Where<Model> | undefined
  /** What to sort by; the id is always the last key. */
  readonly orderBy?: OrderBy<Model> | undefined
  /** Records on a page; the server's default (50) unless said. */
  readonly limit?: number | undefined
  /** How many records to skip first. */
  readonly offset?: number | undefined
  /** The page begins right after this cursor, the `next` of another page. */
  readonly after?: string | undefined
  /** The page ends right before this cursor, the `previous` of another page. */
  readonly before?: string | undefined
  /** Soft-deleted records too. */
  readonly includeDeleted?: boolean | undefined
  /** `none` saves the count of all records. */
  readonly count?: 'exact' | 'none' | undefined
  /** The records as they were at an instant; nothing is read along then. */
  readonly at?: Instant | undefined
}

/** How one record is read. */
export interface GetOptions extends CallOptions {
  /** A soft-deleted record too. */
  readonly includeDeleted?: boolean | undefined
  /** The record as it was at an instant; nothing is read along then. */
  readonly at?: Instant | undefined
}

/** Which parts of records are answered. */
export interface SelectionOf<Model extends WireModel, Known extends Models, Fields, Included> {
  /** The fields to answer; all unless said. */
  readonly fields?: Fields
  /** What to read along: `{ owner: true, posts: true }`. */
  readonly include?: Included & Include<Model, Known> & OnlyKnown<Included, IncludeName<Model, Known>>
}

/** A misspelt name does not compile. */
type OnlyKnown<Included, Known> = { readonly [Name in Exclude<keyof Included, Known>]: never }

/** A page of records. */
export interface Page<Row> {
  readonly records: Row[]
  /** How many records there are in all; absent with `count: 'none'`. */
  readonly total?: number
  /** Cursor for `after` of the next page; absent on the last. */
  readonly next?: string
  /** Cursor for `before` of the previous page; absent on the first. */
  readonly previous?: string
}
