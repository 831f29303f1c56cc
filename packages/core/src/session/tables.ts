import type { Kysely } from 'kysely'
import type { AnyModel } from '../model/model.ts'
import type { RowOf } from '../model/row-types.ts'
import type { Session } from './session.ts'

/** What a Kysely handle knows of its tables when nobody says. */
export type UnknownTables = Record<string, Record<string, unknown>>

/**
 * The tables of models as Kysely sees them: values as the engine stores them. Instants are text like `2026-11-23T09:30:00.000Z`,
 * booleans are 0 and 1 on SQLite, and a Decimal is a scaled integer there; accessors hide that, raw queries do not.
 */
export type TablesOf<Models extends AnyModel> = string extends Models['name'] ? UnknownTables : { [M in Models as M['name']]: TableOf<M> }

type TableOf<M extends AnyModel> = { [Name in keyof RowOf<M>]: StoredValue<RowOf<M>[Name]> } & { row_version: string }

type StoredValue<Value> = Value extends Date
  ? string
  : Value extends bigint
    ? bigint | number
    : Value extends boolean
      ? boolean | 0 | 1
      : Value extends string | number | null | Uint8Array
        ? Value
        : unknown

/** A unit of work as transactions and hooks see it, with the tables that they know. */
export interface SessionOf<Database = UnknownTables> extends Pick<Session, 'context' | 'afterCommit' | 'finished'> {
  /** Typed Kysely whose statements are part of this unit. Throws `session_finished` after its end. */
  readonly kysely: Kysely<Database>
}
