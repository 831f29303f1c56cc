import type { WireModel, WireTypes } from '@strongroom/contract'

/** The models of a server's components by the components' names: `{ users: typeof User }`. */
export type Models = Readonly<Record<string, WireModel>>

type TypesOf<Model> = Model extends { readonly '~wire'?: infer Wire } ? Extract<Wire, WireTypes> : never

/**
 * A record as the server answers it: every field that may be seen, null where it is absent. 64-bit integers and decimals are text,
 * instants RFC 3339 in UTC, bytes base64.
 *
 * @example
 * type User = RecordOf<typeof UserModel> // { id: number; name: string; created_at: string; … }
 */
export type RecordOf<Model extends WireModel> = TypesOf<Model>['row']

/** What `create` takes: without the fields that the server keeps, with secret ones. */
export type NewOf<Model extends WireModel> = TypesOf<Model>['insert']

/** What `update` takes: any of the fields that a request may change. */
export type PatchOf<Model extends WireModel> = TypesOf<Model>['update']

/** The type of a model's ids. */
export type IdOf<Model extends WireModel> = TypesOf<Model>['id']

/** What `save` takes: any of the fields; those that the server keeps are accepted as they stand. */
export type SavedOf<Model extends WireModel> = Flat<Partial<NewOf<Model>> & Partial<Omit<RecordOf<Model>, keyof NewOf<Model>>>>

/** Names of a model's fields, for `fields`. */
export type FieldNames<Model extends WireModel> = readonly (keyof RecordOf<Model> & string)[]

type ReferencesOf<Model extends WireModel> = TypesOf<Model>['references']

type ComponentName<Known extends Models> = keyof Known & string

/** What can be read along: what a reference leads to, and the records that point here, by the name of their component. */
export type IncludeName<Model extends WireModel, Known extends Models> =
  | (keyof ReferencesOf<Model> & string)
  | ComponentName<Known>
  | `${ComponentName<Known>}_by_${string}`
  | `${string}_record`

/** What to read along: `{ owner: true, posts: true }`. */
export type Include<Model extends WireModel, Known extends Models> = { readonly [Name in IncludeName<Model, Known>]?: boolean }

/** A record with the fields and inclusions that were asked for. */
export type Selected<Model extends WireModel, Known extends Models, Fields, Included> = Flat<
  (Fields extends readonly (infer Name)[] ? Pick<RecordOf<Model>, Name & keyof RecordOf<Model>> : RecordOf<Model>) & {
    -readonly [Name in keyof Included as Included[Name] extends true ? Name : never]: IncludedOf<Model, Known, Name>
  }
>

type IncludedOf<Model extends WireModel, Known extends Models, Name> = Name extends keyof ReferencesOf<Model>
  ? RecordAt<ReferencesOf<Model>[Name]> | null
  : Name extends keyof Known
    ? RecordAt<Known[Name]>[]
    : Name extends `${infer Component extends ComponentName<Known>}_by_${string}`
      ? RecordAt<Known[Component]>[]
      : Readonly<Record<string, unknown>> | null

/** A reference in a circle of models does not know the fields of its target. */
type RecordAt<Target> = WireTypes extends TypesOf<Target> ? Readonly<Record<string, unknown>> : TypesOf<Target>['row']

/** The names of fields that `contains` and its like can be asked of. */
export type TextOf<Model extends WireModel> = TypesOf<Model>['text']

/** Makes an intersection one object literal, which is what a hover shows. */
export type Flat<T> = { [Key in keyof T]: T[Key] } & {}
