/** The INSERT of a record and that of the entry which tells of it, by names. Parameters come in the order of the members. */
export interface EntryInsert {
  readonly table: string
  readonly idColumn: string
  /** Those that get a value; without the id where the database counts it. */
  readonly columns: readonly string[]
  readonly log: string
  /** Those of the entry that get a value. */
  readonly entryColumns: readonly string[]
  /** One of the entry's is read from where the log stands. */
  readonly stand: { readonly table: string; readonly column: string }
  /** Where the database counts the id, what depends on it: parameters are the image before the id, that behind it, and the salt. */
  readonly counted: CountedEntry | undefined
}

/** Columns of an entry that depend on its record's id. */
export interface CountedEntry {
  readonly recordId: string
  readonly image: string
  /** SHA-256 over the salt, and the image between the two texts. */
  readonly hash: string
  readonly hashed: { readonly before: string; readonly behind: string }
  readonly salt: string
  /** One of `entryColumns` that may not be null: it stays null, and the whole is refused, where the id is above `highest`. */
  readonly refused: string
  readonly highest: number
}
