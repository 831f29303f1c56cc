import type { QueryPair } from '@strongroom/contract'

/** What a query is read against. */
export interface DialectSetting {
  /** The fields that the caller may ask for: one of them is never taken for a word of a dialect. */
  readonly fields: readonly string[]
  /** The names that can be included. */
  readonly includes: readonly string[]
  /** The name of the key. */
  readonly id: string
  /** Records on a page where the query does not say. */
  readonly defaultLimit: number
  /** The most records on a page. */
  readonly maxLimit: number
}

/** One parameter as it came; `bare` without an equals sign. */
export interface GivenPair extends QueryPair {
  readonly bare: boolean
}

/**
 * How the data provider of another tool writes its queries. Each function puts our own words in the place of the dialect's, and
 * leaves every other parameter as it is; it answers undefined when there is none of the dialect's.
 */
export interface Dialect {
  /** @throws QueryError that names what cannot be said in our words */
  readonly list: (pairs: readonly GivenPair[], setting: DialectSetting) => QueryPair[] | undefined
  /** The same for the query of one record. */
  readonly get: (pairs: readonly GivenPair[], setting: DialectSetting) => QueryPair[] | undefined
}
