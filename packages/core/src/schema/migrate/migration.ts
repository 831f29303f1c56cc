import type { Kysely } from 'kysely'
import type { SchemaEditor } from '../change/schema-editor.ts'

/**
 * The database as a migration sees it: Kysely inside the migration's transaction. What it writes passes no hook and has no audit entry for
 * each record; the migration's own entry stands for it.
 */
// biome-ignore lint/suspicious/noExplicitAny: a migration knows tables as they were, which no model tells any more
export type MigrationDatabase = Kysely<any>

/** One step from a schema to the next, in one transaction: as Kysely has it, with `schema` for what differs between engines. */
export interface Migration {
  /** Migrations are applied in the order of their names: `20261130093000_add_nickname`. */
  readonly name: string
  /** Tells whether a migration that was applied has been changed since; files have their own. */
  readonly checksum?: string | undefined
  readonly up: (db: MigrationDatabase, schema: SchemaEditor) => Promise<void> | void
  /** Takes back what `up` did; a migration without it stays. */
  readonly down?: ((db: MigrationDatabase, schema: SchemaEditor) => Promise<void> | void) | undefined
}

/** Where migrations are: a folder of TypeScript or JavaScript files that export `up` and `down`, or a list. */
export type MigrationSource = string | readonly Migration[]

/** How migrations stand to a database. */
export interface MigrationStatus {
  /** What changed the tables, in the order in which that was done. */
  readonly applied: readonly {
    readonly name: string
    /** `contained`: the tables were made with it; `automatic`: a start did it by itself. */
    readonly kind: 'migration' | 'automatic' | 'contained'
    readonly actor: string
    readonly appliedAt: Date
    readonly changes: readonly string[]
  }[]
  /** Not applied yet, in their order. */
  readonly pending: readonly string[]
  /** Applied, and another one now. */
  readonly changed: readonly string[]
  /** Applied, and not there now: the database is newer than this program, or a file was removed. */
  readonly missing: readonly string[]
}
