/** What retention has removed. */
export interface RetentionReport {
  /** Entries that were removed. */
  readonly removed: number
  /** The first position that somebody wants to keep: what comes before may go. */
  readonly horizon: number
  /** For each component in the log the first position that it wants to keep; null where all of its entries may go. */
  readonly components: Readonly<Record<string, number | null>>
}

/** How far retention is. */
export interface RetentionProgress {
  readonly phase: 'removing'
  /** Entries that were removed. */
  readonly entries: number
}
