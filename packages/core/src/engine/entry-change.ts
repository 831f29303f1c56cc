import type { ColumnDefinition, StoredKind } from './engine.ts'

/** A field of a record's image in the log. */
export interface ImageField {
  readonly name: string
  readonly field: StoredKind & Pick<ColumnDefinition, 'nullable'>
  /** What stands before its value in the image. */
  readonly prefix: string
  /** What stands there in the place of any value, as JSON. */
  readonly mask: string | undefined
}

/**
 * The change of one record as it stands, or its end, and the INSERT of the entry that tells of it, by names. Parameters come in this order:
 * those of `locked`, the values of `set`, the JSON of `spelt` and of `kept`, the values of `entryColumns`, and the salt.
 */
export interface EntryChange {
  readonly table: string
  readonly idColumn: string
  /** Finds the record and keeps others from it: all columns of its image, as they stand once that is so. */
  readonly locked: { readonly sql: string; readonly parameters: number }
  readonly image: readonly ImageField[]
  /** Columns that get a value; undefined where the record goes. */
  readonly set: readonly string[] | undefined
  /** Those of them that are in the image. */
  readonly spelt: readonly string[]
  /** Nothing is done unless one of these gets another value than it has, where there are any. */
  readonly compared: readonly string[]
  /** Nothing is done unless each of these has the value that is said. */
  readonly kept: readonly string[]
  /** Columns that are answered, of the record as it is left, or as it was. */
  readonly answered: readonly string[]
  readonly log: string
  /** Those of the entry that get a value. */
  readonly entryColumns: readonly string[]
  /** Columns of the entry that are made of the record. */
  readonly made: {
    readonly before: string
    readonly after: string
    readonly salt: string
    readonly hash: string
    /** SHA-256 over the salt, and the image after between the first two texts, that before between the last two. */
    readonly hashed: readonly [after: string, before: string, end: string]
    /** The column of the log that tells whose record it is, and the field where that stands. */
    readonly tenant: { readonly column: string; readonly field: string } | undefined
  }
  /** One of the entry's is read from where the log stands. */
  readonly stand: { readonly table: string; readonly column: string }
}

/** How an engine changes a record and tells of it by one statement. */
export interface EntryChanges {
  /** Whether the database writes values of this kind as the images in the log have them. */
  readonly spells: (field: StoredKind) => boolean
  /** The most fields that a record may have: a statement that is longer than these make it is not kept prepared. */
  readonly mostFields: number
  /** The statement; it answers one row, or none where it has done nothing: for a value, too, that the program alone could write. */
  readonly statement: (change: EntryChange) => string
}
