import type { Static, TSchema } from 'typebox'
import type { stampNames } from './kept-names.ts'
import type { AnyModel, Model } from './model.ts'

/** The fields that `defineModel` takes: a TypeBox type for each name. */
export type FieldSchemas = Readonly<Record<string, TSchema>>

/**
 * A record of the model as it is read: every field, null where it is absent, with id, stamps and `deleted_at`.
 *
 * @example
 * ```ts
 * const Country = defineModel('countries', { name: Type.String(), area: Type.Optional(Type.Number()) })
 * type Country = RowOf<typeof Country> // { id: number; name: string; area: number | null }
 * ```
 */
export type RowOf<M extends AnyModel> = M extends Model<infer Types> ? Types['row'] : never

/**
 * What an insert takes: optional and defaulted fields may be left out, as may an id that is not text.
 *
 * @example
 * ```ts
 * const Country = defineModel('countries', { name: Type.String(), area: Type.Optional(Type.Number()) })
 * type NewCountry = InsertOf<typeof Country> // { id?: number; name: string; area?: number | null }
 * ```
 */
export type InsertOf<M extends AnyModel> = M extends Model<infer Types> ? Types['insert'] : never

/**
 * What an update takes: any of the declared fields but the immutable ones.
 *
 * @example
 * ```ts
 * const Country = defineModel('countries', { name: Type.String(), area: Type.Optional(Type.Number()) })
 * type CountryPatch = UpdateOf<typeof Country> // { name?: string; area?: number | null }
 * ```
 */
export type UpdateOf<M extends AnyModel> = M extends Model<infer Types> ? Types['update'] : never

/**
 * The type of the model's ids: `number`, or `string` for UUIDs and text.
 *
 * @example
 * ```ts
 * const Country = defineModel('countries', { name: Type.String() }, { id: 'text' })
 * type CountryId = IdOf<typeof Country> // string
 * ```
 */
export type IdOf<M extends AnyModel> = M extends Model<infer Types> ? Types['id'] : never

/** The types that `defineModel` computes from fields and options. */
export interface TypesOf<Fields extends FieldSchemas, Options> {
  readonly id: IdCode<Options>
  readonly row: RowType<Fields, Options>
  readonly insert: InsertType<Fields, Options>
  readonly update: UpdateType<Fields, Options>
  readonly idName: IdName<Options>
  readonly references: ReferencesOf<Omit<Fields, Extract<Listed<Options, 'secret'>, PropertyKey>>>
  readonly wire: WireTypesOf<Fields, Options>
}

/**
 * The records that a model's references lead to, by the name that `include` has for them: the field's name without the
 * other model's key (`owner_id` is `owner`, `country_code` is `country`), or with `_record` where it does not end so.
 */
export type IncludesOf<M extends AnyModel> = M extends Model<infer Types> ? Exclude<Types['references'], undefined> : never

type ReferencesOf<Fields> = {
  [Name in keyof Fields & string as Fields[Name] extends { readonly '~target'?: infer Target }
    ? Exclude<Target, undefined> extends AnyModel
      ? IncludeName<Name, IdNameOf<Exclude<Target, undefined>>>
      : never
    : never]: Fields[Name] extends { readonly '~target'?: infer Target } ? Exclude<Target, undefined> : never
}

type IdNameOf<M> = M extends Model<infer Types> ? (string extends Types['idName'] ? 'id' : Exclude<Types['idName'], undefined>) : 'id'

type IncludeName<Field extends string, Key> = Key extends string ? (Field extends `${infer Name}_${Key}` ? Name : `${Field}_record`) : never

/** The names of all columns that clients see. */
export type ColumnOf<Fields extends FieldSchemas, Options> = keyof RowType<Fields, Options> & string

/** Makes an intersection of mapped types one object literal, which is what a hover shows. */
type Flat<T> = { [Key in keyof T]: T[Key] } & {}

type ValueOf<Schema extends TSchema> = Schema extends { readonly '~optional': true } ? Static<Schema> | null : Static<Schema>

type LeftOut<Fields> = {
  [Name in keyof Fields]: Fields[Name] extends { readonly '~optional': true } | { readonly '~default': unknown } ? Name : never
}[keyof Fields]

type Immutable<Options> = Options extends { readonly immutable: readonly (infer Name)[] } ? Name : never

type IdKind<Options> = Options extends { readonly id: infer Id }
  ? Id extends { readonly type: infer Type }
    ? Type
    : Id extends string
      ? Id
      : 'integer'
  : 'integer'

type IdName<Options> = Options extends { readonly id: { readonly name: infer Name extends string } } ? Name : 'id'

type IdCode<Options> = IdKind<Options> extends 'integer' ? number : string

type IdInsert<Options> = IdKind<Options> extends 'text' ? { [_ in IdName<Options>]: string } : { [_ in IdName<Options>]?: IdCode<Options> }

type StampName<Options, Key extends keyof typeof stampNames> = Options extends { readonly stamps: infer Stamps }
  ? Stamps extends true
    ? (typeof stampNames)[Key]
    : Stamps extends object
      ? GivenName<Stamps, Key>
      : never
  : never

type GivenName<Stamps, Key extends keyof typeof stampNames> = Stamps extends { readonly [_ in Key]: infer Given }
  ? Given extends string
    ? Given
    : Given extends { readonly name: infer Name extends string }
      ? Name
      : (typeof stampNames)[Key]
  : (typeof stampNames)[Key]

type ActorOf<Options, Key extends 'createdBy' | 'updatedBy'> = Options extends { readonly stamps: { readonly [_ in Key]: infer Given } }
  ? Given extends { readonly field: infer Field extends TSchema }
    ? Static<Field>
    : Given extends { readonly '~reference': unknown }
      ? Static<Given>
      : string
  : string

type StampColumns<Options> = { [_ in StampName<Options, 'createdAt'>]: Date } & { [_ in StampName<Options, 'updatedAt'>]: Date } & {
  [_ in StampName<Options, 'createdBy'>]: ActorOf<Options, 'createdBy'> | null
} & { [_ in StampName<Options, 'updatedBy'>]: ActorOf<Options, 'updatedBy'> | null }

type DeletedColumn<Options> = Options extends { readonly softDelete: true } ? { deleted_at: Date | null } : unknown

type RowType<Fields extends FieldSchemas, Options> = Flat<
  { [_ in IdName<Options>]: IdCode<Options> } & { -readonly [Name in keyof Fields]: ValueOf<Fields[Name]> } & StampColumns<Options> &
    DeletedColumn<Options>
>

type InsertType<Fields extends FieldSchemas, Options> = Flat<
  IdInsert<Options> & { [Name in Exclude<keyof Fields, LeftOut<Fields> | Tenant<Options>>]: ValueOf<Fields[Name]> } & {
    [Name in LeftOut<Fields> | Extract<Tenant<Options>, keyof Fields>]?: ValueOf<Fields[Name]>
  }
>

type UpdateType<Fields extends FieldSchemas, Options> = Flat<{
  [Name in Exclude<keyof Fields, Immutable<Options> | Tenant<Options>>]?: ValueOf<Fields[Name]>
}>

/** The same types in JSON form, as requests may send them and answers carry them. */
export interface WireTypesOf<Fields extends FieldSchemas, Options> {
  readonly id: IdCode<Options>
  readonly row: WireRow<Fields, Options>
  readonly insert: WireInsert<Fields, Options>
  readonly update: WireUpdate<Fields, Options>
  readonly text: TextFields<RowType<Fields, Options>>
  readonly references: ReferencesOf<Omit<Fields, Extract<Listed<Options, 'secret'>, PropertyKey>>>
}

/** What travels as text although it is none in code. */
type WireValue<Code> = Code extends bigint | Date | Uint8Array ? string : Code

type Listed<Options, List extends 'secret' | 'readOnly'> = Options extends { readonly [_ in List]: readonly (infer Name)[] } ? Name : never

type Tenant<Options> = Options extends { readonly tenant: infer Name extends string } ? Name : never

/** Declared fields that a request may not set. */
type ServerOwned<Options> = Listed<Options, 'readOnly'> | Tenant<Options>

type WireRow<Fields extends FieldSchemas, Options> = WireValues<RowType<Fields, Options>, Listed<Options, 'secret'>>

type WireValues<Values, LeftOut = never> = { [Name in Exclude<keyof Values, LeftOut>]: WireValue<Values[Name]> }

type WireInsert<Fields extends FieldSchemas, Options> = Flat<
  (IdKind<Options> extends 'text' ? { [_ in IdName<Options>]: string } : unknown) & {
    [Name in Exclude<keyof Fields, LeftOut<Fields> | ServerOwned<Options>>]: WireValue<ValueOf<Fields[Name]>>
  } & { [Name in Exclude<LeftOut<Fields>, ServerOwned<Options>>]?: WireValue<ValueOf<Fields[Name]>> }
>

type WireUpdate<Fields extends FieldSchemas, Options> = {
  [Name in Exclude<keyof Fields, Immutable<Options> | ServerOwned<Options>>]?: WireValue<ValueOf<Fields[Name]>>
}

type TextFields<Row> = { [Name in keyof Row & string]: Extract<Row[Name], string> extends never ? never : Name }[keyof Row & string]
