import type { WireModel, WireTypes } from '@strongroom/contract'
import type { TSchema } from 'typebox'
import type { Transitions } from './transitions.ts'

/** What a field holds, the same on every engine. Engines choose a column type and a codec for each kind. */
export type FieldKind = 'text' | 'uuid' | 'integer' | 'int64' | 'number' | 'boolean' | 'decimal' | 'datetime' | 'date' | 'json' | 'bytes'

/** Why a field is there: declared by the user, or kept by the library. */
export type FieldRole = 'id' | 'data' | 'createdAt' | 'updatedAt' | 'createdBy' | 'updatedBy' | 'deletedAt' | 'rowVersion'

/** What happens to a record when the record that it points to is deleted. */
export type OnDelete = 'restrict' | 'cascade' | 'setNull'

export interface Reference {
  /** The model pointed to; a function, because models may point to each other. */
  readonly model: () => AnyModel
  readonly onDelete: OnDelete
}

/** One column of a model, with everything the other rooms need to know of it. */
export interface Field {
  readonly name: string
  readonly kind: FieldKind
  readonly role: FieldRole
  /** JSON Schema of the value as it travels on the wire, not counting null. */
  readonly schema: TSchema
  /** The column takes null. */
  readonly nullable: boolean
  /** May be left out on insert (optional, defaulted or kept by the library). */
  readonly optional: boolean
  /** Gives the value of a field that an insert leaves out. Absent where there is no default. */
  readonly makeDefault?: () => unknown
  /** The default in code form where it is the same for every record, for documentation. */
  readonly constantDefault?: unknown
  /** The literals that an enum allows. */
  readonly values?: readonly (string | number)[]
  /** Decimal: digits in all, and after the point. */
  readonly precision?: number
  readonly scale?: number
  /** Upper bound of a text (characters) or bytes field, where the model states one. */
  readonly maxLength?: number | undefined
  readonly reference?: Reference
  readonly secret: boolean
  readonly readOnly: boolean
  readonly immutable: boolean
  /** Whether clients see it at all: false for row_version. */
  readonly hidden: boolean
  /** Says what is wrong with a non-null value in code form, or undefined when nothing is. */
  readonly check: (value: unknown) => string | undefined
  /** The value that is stored for an acceptable one: -0 becomes 0, an upper-case UUID lower-case, JSON is copied. */
  readonly normalise: (value: unknown) => unknown
  /** Code form to wire form, not counting null. */
  readonly toJson: (value: unknown) => unknown
  /** Wire form to code form; a value of the wrong shape is returned as it is, for `check` to refuse. */
  readonly fromJson: (value: unknown) => unknown
}

export interface Stamps {
  readonly createdAt: Field
  readonly updatedAt: Field
  readonly createdBy: Field
  readonly updatedBy: Field
}

/** The types that travel with a model; no value of this shape exists at run time. */
export interface ModelTypes {
  readonly id: unknown
  readonly row: object
  readonly insert: object
  readonly update: object
  /** The id's name, where it is known. */
  readonly idName?: string
  /** The models that references lead to, by the name that `include` has for them. */
  readonly references?: object
  /** The same as clients know them, in JSON form. */
  readonly wire?: WireTypes
}

type WireTypesIn<Types> = Types extends { readonly wire: infer Wire extends WireTypes } ? Wire : WireTypes

/** A definition, checked and interpreted. Made by `defineModel`; never changed afterwards. */
export interface Model<Types extends ModelTypes = ModelTypes, Name extends string = string> extends WireModel<WireTypesIn<Types>> {
  /** The table's name. */
  readonly name: Name
  readonly id: Field
  /** How ids come to be: counted by the database, made here (UUIDv7), or given by the caller. */
  readonly idType: 'integer' | 'uuid' | 'text'
  /** Every column in order: id, declared fields, stamps, deleted_at, row_version. */
  readonly fields: readonly Field[]
  readonly fieldsByName: ReadonlyMap<string, Field>
  readonly stamps: Stamps | undefined
  readonly deletedAt: Field | undefined
  /** The field that holds the tenant, where the model has one. */
  readonly tenant: Field | undefined
  readonly rowVersion: Field
  readonly unique: readonly (readonly string[])[]
  readonly indexes: readonly (readonly string[])[]
  /** Indexes over those records only that have the first field; of tables of the library alone. */
  readonly presentIndexes?: readonly (readonly string[])[]
  /** What is indexed besides where units overlap; of tables of the library alone. */
  readonly overlapIndexes?: readonly { readonly fields: readonly string[]; readonly unique?: boolean }[]
  /** Raised by the user when the meaning of stored images changes; goes into audit entries. */
  readonly schemaVersion: number
  /** For fields that are states of the record: the values that may follow each value. */
  readonly transitions: Transitions
  /** Names that the table had before, the newest first. */
  readonly renamedFrom: readonly string[]
  /** Names that fields had before, the newest first, by the names that they have now. */
  readonly renamedFields: ReadonlyMap<string, readonly string[]>
  /** Carries the types; always undefined. */
  readonly types?: Types
}

/** Any model whose id has the given type. */
// biome-ignore lint/suspicious/noExplicitAny: an id type that is not stated is any of the three
export type AnyModel<Id = any> = Model<{ readonly id: Id; readonly row: object; readonly insert: object; readonly update: object }>
