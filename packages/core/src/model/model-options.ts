import type { TReference } from './field-types.ts'
import type { AnyModel, Model } from './model.ts'

/** How ids come to be: counted by the database, made here (UUIDv7), or given by the caller. */
export type IdType = Model['idType']

/** An id with a name of its own. */
export interface IdOptions {
  /** `id` when it is left out. */
  readonly name?: string
  /** `integer` when it is left out. */
  readonly type?: IdType
  /** The most characters that a text id may have; 255 when it is left out. */
  readonly maxLength?: number
}

/** A stamp that points to the actor's record; it is filled with the `id` of the principal, and null where there is none. */
export interface ActorReference {
  readonly name?: string
  readonly field: TReference<AnyModel>
}

/** The names of the stamps; the ones left out keep their own (`created_at`, `updated_at`, `created_by`, `updated_by`). */
export interface StampOptions {
  readonly createdAt?: string
  readonly updatedAt?: string
  readonly createdBy?: string | ActorReference | TReference<AnyModel>
  readonly updatedBy?: string | ActorReference | TReference<AnyModel>
}

/** What `defineModel` takes beside the fields. `FieldName` are the names of the declared fields, `ColumnName` those and the library's. */
export interface ModelOptions<FieldName extends string = string, ColumnName extends string = string> {
  /**
   * `'integer'` (default): counted by the database and never reused. `'uuid'`: version 7, made here.
   * `'text'`: given by the caller; anything but `''`, `'.'` and `'..'`, up to 255 characters.
   */
  readonly id?: IdType | IdOptions | undefined
  /** Deleting only marks the record, in `deleted_at`, and it can be restored. */
  readonly softDelete?: boolean | undefined
  /** Keeps when and by whom a record was made and last changed; a new record is stamped as changed too. */
  readonly stamps?: boolean | StampOptions | undefined
  /** Lists of fields that no two (live) records have the same values in. */
  readonly unique?: readonly (readonly ColumnName[])[] | undefined
  /** Lists of fields to index. */
  readonly indexes?: readonly (readonly ColumnName[])[] | undefined
  /** Fields that never leave: not in answers, the audit log, exports or logs, and not filterable. */
  readonly secret?: readonly FieldName[] | undefined
  /** Fields that code can set and a request cannot. */
  readonly readOnly?: readonly FieldName[] | undefined
  /** Fields that can be set when a record is made, and never after. */
  readonly immutable?: readonly FieldName[] | undefined
  /**
   * The moves of an enum that is a state of the record: for each of its values those that may follow it, `{ status: { open: ['closed'],
   * closed: [] } }`. An update that makes another move is refused with a ConflictError `state_conflict`. New records may be in any state.
   */
  readonly transitions?: { readonly [Name in FieldName]?: Readonly<Record<string, readonly (string | number)[]>> } | undefined
  /** Raised by one when the meaning of stored images changes; stands in audit entries. 1 when it is left out. */
  readonly schemaVersion?: number | undefined
  /** The name that the table had before, or several, the newest first: a migration renames it, and keeps what it holds. */
  readonly renamedFrom?: string | readonly string[] | undefined
  /**
   * Fields that had another name before: `{ full_name: 'name' }`, or several names, the newest first. A migration renames the column, and
   * images of the audit log that have the old name are read under the new one.
   */
  readonly renamedFields?: { readonly [Name in ColumnName]?: string | readonly string[] } | undefined
  /**
   * The field that holds the tenant: text, a whole number, a UUID, or a Ref to the tenants' model. It is filled from the caller, and every
   * statement is held to the caller's tenant. Name it in `unique` for keys that are unique for each tenant.
   */
  readonly tenant?: FieldName | undefined
}
