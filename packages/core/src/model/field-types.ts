import type { Static, TSchema, TUnsafe } from 'typebox'
import { DefinitionFault } from './definition-fault.ts'
import type { AnyModel, OnDelete } from './model.ts'
import type { IdOf } from './row-types.ts'
import { type BytesOptions, bytesOptionsProblem, bytesType } from './value-types/bytes.ts'
import { type DecimalOptions, decimalOptionsProblem, decimalType } from './value-types/decimal.ts'
import { type JsonData, jsonType } from './value-types/json.ts'
import { int64Type } from './value-types/numbers.ts'
import { instantType, plainDateType } from './value-types/times.ts'
import type { FieldNotes, ValueType } from './value-types/value-type.ts'

/** A field type of this library beside TypeBox's own; `Code` is the type of its values in code. */
export interface TField<Code> extends TUnsafe<Code> {
  readonly '~valueType': ValueType
}

/** A foreign key; its values have the type of the other model's id. */
export interface TReference<Target extends AnyModel> extends TUnsafe<IdOf<Target>> {
  readonly '~reference': ReferenceTarget
  /** Carries the type of the other model; always undefined. */
  readonly '~target'?: Target
}

/** A field type with a value for inserts that leave the field out. */
export type TDefault<Type extends TSchema = TSchema> = Type & { readonly '~default': DefaultSource }

/** Where a reference points, and what happens here when the other record is deleted. */
export interface ReferenceTarget {
  readonly model: () => AnyModel
  readonly onDelete: OnDelete
}

/** A default: one value for all, or made anew for each record. */
export type DefaultSource = { readonly value: unknown } | { readonly make: () => unknown }

/** The values that `Default` takes for a field type: null only where the type is optional. */
export type DefaultOf<Type extends TSchema> = Static<Type> | (Type extends { readonly '~optional': true } ? null : never)

/**
 * Gives a field a value when an insert leaves it out. A function is called for each record.
 * The literal types of an enum stay in the row's type.
 *
 * @throws UsageError `invalid_definition`, by `defineModel`, when the value is none that the field takes
 * @example
 * ```ts
 * import { Type } from 'typebox'
 * import { DateTime, Default, defineModel } from '@strongroom/core'
 *
 * const Ticket = defineModel('tickets', {
 *   state: Default(Type.Enum(['open', 'closed']), 'open'),
 *   due: Default(DateTime(), () => new Date(Date.now() + 86_400_000)),
 * })
 * ```
 */
export function Default<Type extends TSchema>(type: Type, value: NoInfer<DefaultOf<Type> | (() => DefaultOf<Type>)>): TDefault<Type> {
  const source: DefaultSource = typeof value === 'function' ? { make: value as () => unknown } : { value }
  // The mark is what TDefault adds to the type.
  return mark(type, '~default', source) as TDefault<Type>
}

/**
 * A 64-bit integer. In code a `bigint`; in JSON text, since JSON's numbers are exact only up to 2^53 - 1
 * (numbers up to there are accepted).
 *
 * @example
 * ```ts
 * const Account = defineModel('accounts', { balance: Int64() })
 * // in code { balance: 9007199254740993n }, in JSON { "balance": "9007199254740993" }
 * ```
 */
export function Int64(notes: FieldNotes = {}): TField<bigint> {
  return fieldType(int64Type(notes))
}

/**
 * A decimal number with a fixed number of digits after the point, exact in order, comparison and sums.
 * In code and in JSON text: `'12.5'` is kept as `'12.50'` when the scale is 2; more digits than the scale are refused.
 * JSON numbers are accepted while they are exact (up to 15 digits).
 *
 * @param options `precision`: digits in all, 1 to 18; `scale`: digits after the point
 * @throws UsageError `invalid_definition`, by `defineModel`, when precision or scale are out of range
 * @example
 * ```ts
 * const Product = defineModel('products', { price: Decimal({ precision: 10, scale: 2 }) })
 * // { price: '12.50' }
 * ```
 */
export function Decimal(options: DecimalOptions): TField<string> {
  return fieldType(decimalType(options), decimalOptionsProblem(options))
}

/**
 * An instant with milliseconds, in the years 0001 to 9999. In code a `Date`; in JSON RFC 3339: any offset is
 * accepted, UTC with `Z` is answered. Digits beyond the milliseconds are cut off.
 *
 * @example
 * ```ts
 * const Meeting = defineModel('meetings', { starts: DateTime() })
 * // in code { starts: new Date() }, in JSON { "starts": "2026-01-31T12:00:00.000Z" }
 * ```
 */
export function DateTime(notes: FieldNotes = {}): TField<Date> {
  return fieldType(instantType(notes))
}

/**
 * A day of the calendar, 0001-01-01 to 9999-12-31, without time or zone. Text in code and in JSON.
 *
 * @example
 * ```ts
 * const Person = defineModel('people', { born: PlainDate() })
 * // { born: '1815-12-10' }
 * ```
 */
export function PlainDate(notes: FieldNotes = {}): TField<string> {
  return fieldType(plainDateType(notes))
}

/**
 * Plain JSON data, up to 100 levels deep; with a schema, data that fits it. `undefined`, functions, NaN and
 * instances of classes are refused. For null the field must be optional or in a union with `Type.Null()`.
 *
 * @example
 * ```ts
 * const Order = defineModel('orders', {
 *   labels: Json(Type.Array(Type.String())),
 *   extra: Type.Optional(Json()),
 * })
 * // { labels: ['new', 'urgent'], extra: { gift: true } }
 * ```
 */
export function Json<Type extends TSchema>(schema: Type): TField<Static<Type>>
export function Json(): TField<JsonData>
export function Json(schema?: TSchema): TField<unknown> {
  const bareDefault = schema && 'default' in schema
  return fieldType(jsonType(schema), bareDefault ? 'Json takes a schema without default; write Default(Json(…), value)' : undefined)
}

/**
 * Bytes. In code a `Uint8Array`; in JSON base64 with padding (RFC 4648).
 *
 * @param options `maxLength`: the most bytes a value may have
 * @throws UsageError `invalid_definition`, by `defineModel`, when maxLength is no whole number from 0 on
 * @example
 * ```ts
 * const Avatar = defineModel('avatars', { image: Bytes({ maxLength: 65_536 }) })
 * // in code { image: new Uint8Array([1, 2, 3]) }, in JSON { "image": "AQID" }
 * ```
 */
export function Bytes(options: BytesOptions = {}): TField<Uint8Array> {
  return fieldType(bytesType(options), bytesOptionsProblem(options))
}

/**
 * A foreign key: the id of a record of another model, or of this one. The model is given by a function, because it
 * may be defined later. Where models point to each other, name the function's type, or TypeScript cannot infer either.
 *
 * @param options `onDelete`: `restrict` (default) refuses to delete a record that is pointed to, `cascade` deletes
 *   the pointing ones with it, `setNull` empties the field, which must take null then
 * @throws UsageError `invalid_definition`, when the function first answers something that is no model
 * @example
 * ```ts
 * const Country = defineModel('countries', { name: Type.String() }, { id: { name: 'code', type: 'text' } })
 * const Region = defineModel('regions', { name: Type.String(), country: Ref(() => Country, { onDelete: 'cascade' }) })
 * // { name: 'Bavaria', country: 'DE' }
 *
 * const Category = defineModel('categories', { parent: Type.Optional(Ref((): AnyModel<number> => Category)) })
 * ```
 */
export function Ref<Target extends AnyModel>(model: () => Target, options: { readonly onDelete?: OnDelete } = {}): TReference<Target> {
  const target: ReferenceTarget = { model, onDelete: options.onDelete ?? 'restrict' }
  return mark({}, '~reference', target) as TReference<Target>
}

/** The fault is thrown by `defineModel`, which can say where the field is. */
function fieldType<Code>(valueType: ValueType, fault?: string): TField<Code> {
  const schema = mark({}, '~valueType', valueType)
  return (fault === undefined ? schema : mark(schema, '~fault', new DefinitionFault(fault))) as TField<Code>
}

/** TypeBox's own marks begin with ~ and are hidden too: its functions keep them, JSON leaves them out. */
function mark(schema: object, name: string, value: unknown): object {
  const marked = Object.defineProperties({}, Object.getOwnPropertyDescriptors(schema))
  return Object.defineProperty(marked, name, { value, enumerable: false, configurable: true, writable: true })
}
