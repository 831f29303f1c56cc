import type { AnyModel } from '../model/model.ts'
import type { IdOf } from '../model/row-types.ts'
import type { OrderBy } from '../query/order.ts'
import type { Where } from '../query/where.ts'
import type { ReadOptions } from '../session/options.ts'

/** Which records a read is about. */
export interface FindOptions<Model extends AnyModel> extends ReadOptions {
  /** Conditions that must all hold: `{ role: 'admin', age: { gte: 18 } }`. */
  readonly where?: Where<Model>
  /** What to sort by; the id is always the last key, in the direction of the one before. Null sorts as the largest value, text by code point. */
  readonly orderBy?: OrderBy<Model>
  /** The most records to answer; all when it is left out. */
  readonly limit?: number
  /** How many records to skip first. */
  readonly offset?: number
  /** Soft-deleted records too. */
  readonly includeDeleted?: boolean
}

/** Which parts of records are answered. */
export interface SelectionOf<Fields, Included> {
  /** The fields to answer; all unless said. */
  readonly fields?: Fields
  /** What to read along: `{ owner: true, controls: true }`. Only live records are included. */
  readonly include?: Included
  /**
   * The most records that point here to read along under one name, over all records that are answered; if there are more, the read is
   * refused (InvalidQueryError). Any number unless said.
   */
  readonly includeAtMost?: number
}

/** Which page, of which records. */
export interface PageOptions<Model extends AnyModel> extends FindOptions<Model> {
  /** The most records on the page; 50 unless said. With 0 the page is empty and the total true. */
  readonly limit?: number
  /** The page begins right after this cursor, the `next` of another page in the same order. */
  readonly after?: string
  /** The page ends right before this cursor, the `previous` of another page in the same order. */
  readonly before?: string
  /** `none` saves the count of all records; `exact` unless said. */
  readonly count?: 'exact' | 'none'
}

/** A page of records. */
export interface RecordPage<Row> {
  readonly rows: Row[]
  /** How many records there are in all; absent with `count: 'none'`. */
  readonly total?: number
  /** Cursor for `after` of the next page; absent on the last. */
  readonly next?: string
  /** Cursor for `before` of the previous page; absent on the first. */
  readonly previous?: string
}

/** Several ids, or a condition on records. */
export type IdsOrWhere<Model extends AnyModel> = readonly IdOf<Model>[] | Where<Model>
