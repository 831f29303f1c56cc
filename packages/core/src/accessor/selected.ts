import type { AnyModel } from '../model/model.ts'
import type { IncludesOf, RowOf } from '../model/row-types.ts'

/** The names of a model's fields, for `fields`. */
export type FieldNames<Model extends AnyModel> = readonly (keyof RowOf<Model> & string)[]

/**
 * What to read along with records: what a reference leads to (`owner: true` for a field `owner_id`), by names that the model
 * knows, and the records that point here, by the name of their component (`controls: true`).
 */
export type Include<Model extends AnyModel> = { readonly [Name in keyof IncludesOf<Model>]?: boolean } & {
  readonly [component: string]: boolean
}

/** A record with the fields and inclusions that were asked for. */
export type Selected<Model extends AnyModel, Fields, Included> = Flat<
  (Fields extends readonly (infer Name)[] ? Pick<RowOf<Model>, Name & keyof RowOf<Model>> : RowOf<Model>) & {
    -readonly [Name in keyof Included as Included[Name] extends true ? Name : never]: Name extends keyof IncludesOf<Model>
      ? IncludedRow<IncludesOf<Model>[Name]>
      : Readonly<Record<string, unknown>>[]
  }
>

type IncludedRow<Target> = Target extends AnyModel ? RowOf<Target> | null : never

type Flat<T> = { [Key in keyof T]: T[Key] } & {}
