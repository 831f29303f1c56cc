/** The tables of a log that the database itself keeps append-only, in plain data. */
export interface LogGuard {
  /** The entries. */
  readonly log: string
  /** One row: where the log stands. */
  readonly head: string
  /** What an entry has for good: no update changes these. */
  readonly fixed: readonly string[]
  /** What an erasure makes null, when an `erase` entry of the same record stands behind it. */
  readonly payload: readonly string[]
  /** What an entry gets with its place, once. */
  readonly place: readonly string[]
  /** What of it is never null then. */
  readonly placed: readonly string[]
}
