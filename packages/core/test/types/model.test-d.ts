import { Type } from 'typebox'
import { expectTypeOf, test } from 'vitest'
import { defineModel } from '../../src/model/define-model.ts'
import { Bytes, DateTime, Decimal, Default, Int64, Json, PlainDate, Ref } from '../../src/model/field-types.ts'
import type { AnyModel } from '../../src/model/model.ts'
import type { IdOf, InsertOf, RowOf, UpdateOf } from '../../src/model/row-types.ts'
import type { JsonData } from '../../src/model/value-types/json.ts'

const User = defineModel(
  'users',
  {
    name: Type.String({ minLength: 1, maxLength: 200 }),
    email: Type.String({ format: 'email' }),
    role: Default(Type.Enum(['operator', 'supervisor', 'admin']), 'operator'),
    phone: Type.Optional(Type.String()),
    password_hash: Type.String(),
  },
  {
    id: 'integer',
    softDelete: true,
    stamps: true,
    unique: [['email']],
    indexes: [['role', 'name'], ['created_at']],
    secret: ['password_hash'],
    readOnly: [],
    immutable: ['email'],
    tenant: undefined,
  },
)

test('a row has every field, null where it is absent, with id, stamps and deleted_at', () => {
  expectTypeOf<RowOf<typeof User>>().toEqualTypeOf<{
    id: number
    name: string
    email: string
    role: 'operator' | 'supervisor' | 'admin'
    phone: string | null
    password_hash: string
    created_at: Date
    updated_at: Date
    created_by: string | null
    updated_by: string | null
    deleted_at: Date | null
  }>()
})

test('an insert may leave out optional and defaulted fields and a made id, and takes null for optional ones', () => {
  expectTypeOf<InsertOf<typeof User>>().toEqualTypeOf<{
    id?: number
    name: string
    email: string
    role?: 'operator' | 'supervisor' | 'admin'
    phone?: string | null
    password_hash: string
  }>()
})

test('an update takes any declared field but the immutable ones', () => {
  expectTypeOf<UpdateOf<typeof User>>().toEqualTypeOf<{
    name?: string
    role?: 'operator' | 'supervisor' | 'admin'
    phone?: string | null
    password_hash?: string
  }>()
  const patch: UpdateOf<typeof User> = { name: 'Alice', phone: null }
  expectTypeOf(patch).toHaveProperty('name')
  // @ts-expect-error email is immutable
  const changed: UpdateOf<typeof User> = { email: 'b@example.com' }
  // @ts-expect-error the id never changes
  const renumbered: UpdateOf<typeof User> = { id: 8 }
  // @ts-expect-error name is not nullable
  const nameless: UpdateOf<typeof User> = { name: null }
  void [changed, renumbered, nameless]
})

test('an insert without a required field, or with a value of another type, does not compile', () => {
  // @ts-expect-error email is missing
  const incomplete: InsertOf<typeof User> = { name: 'Alice', password_hash: 'x' }
  // @ts-expect-error "owner" is no role
  const misplaced: InsertOf<typeof User> = { name: 'Alice', email: 'a@example.com', password_hash: 'x', role: 'owner' }
  // @ts-expect-error stamps are kept by the library
  const stamped: InsertOf<typeof User> = { name: 'Alice', email: 'a@example.com', password_hash: 'x', created_at: new Date() }
  void [incomplete, misplaced, stamped]
})

test('every field type has its type in code', () => {
  const Everything = defineModel('everything', {
    text: Type.String(),
    whole: Type.Integer(),
    real: Type.Number(),
    flag: Type.Boolean(),
    level: Type.Enum([1, 2, 3]),
    literal: Type.Literal('one'),
    choice: Type.Union([Type.Literal('a'), Type.Literal('b')]),
    stated: Type.Union([Type.String(), Type.Null()]),
    either: Type.Union([DateTime(), Type.Null()]),
    large: Int64(),
    price: Decimal({ precision: 10, scale: 2 }),
    at: DateTime(),
    day: PlainDate(),
    anything: Json(),
    labels: Json(Type.Array(Type.String())),
    image: Bytes({ maxLength: 100 }),
    maybe: Type.Optional(Int64()),
    both: Default(Type.Optional(Type.Integer()), 3),
    made: Default(DateTime(), () => new Date()),
  })
  expectTypeOf<RowOf<typeof Everything>>().toEqualTypeOf<{
    id: number
    text: string
    whole: number
    real: number
    flag: boolean
    level: 1 | 2 | 3
    literal: 'one'
    choice: 'a' | 'b'
    stated: string | null
    either: Date | null
    large: bigint
    price: string
    at: Date
    day: string
    anything: JsonData
    labels: string[]
    image: Uint8Array
    maybe: bigint | null
    both: number | null
    made: Date
  }>()
  expectTypeOf<InsertOf<typeof Everything>['stated']>().toEqualTypeOf<string | null>()
  expectTypeOf<InsertOf<typeof Everything>>().toHaveProperty('maybe')
  expectTypeOf<Pick<InsertOf<typeof Everything>, 'both' | 'made' | 'maybe'>>().toEqualTypeOf<{
    both?: number | null
    made?: Date
    maybe?: bigint | null
  }>()
})

test('ids have the type and the name that the model gives them', () => {
  const Country = defineModel('countries', { name: Type.String() }, { id: { name: 'code', type: 'text' } })
  const Event = defineModel('events', { name: Type.String() }, { id: 'uuid' })
  const Named = defineModel('named', { name: Type.String() }, { id: { name: 'number' } })
  expectTypeOf<RowOf<typeof Country>>().toEqualTypeOf<{ code: string; name: string }>()
  expectTypeOf<InsertOf<typeof Country>>().toEqualTypeOf<{ code: string; name: string }>()
  expectTypeOf<InsertOf<typeof Event>>().toEqualTypeOf<{ id?: string; name: string }>()
  expectTypeOf<RowOf<typeof Named>>().toEqualTypeOf<{ number: number; name: string }>()
  expectTypeOf<IdOf<typeof Country>>().toEqualTypeOf<string>()
  expectTypeOf<IdOf<typeof Event>>().toEqualTypeOf<string>()
  expectTypeOf<IdOf<typeof User>>().toEqualTypeOf<number>()
})

test('a reference has the type of the other model id, in cycles too', () => {
  const Country = defineModel('countries', { name: Type.String() }, { id: 'text' })
  const Region = defineModel('regions', {
    country: Ref(() => Country, { onDelete: 'cascade' }),
    author: Type.Optional(Ref(() => User)),
  })
  const Category = defineModel('categories', { parent: Type.Optional(Ref((): AnyModel<number> => Category)) })
  expectTypeOf<RowOf<typeof Region>>().toEqualTypeOf<{ id: number; country: string; author: number | null }>()
  expectTypeOf<RowOf<typeof Category>>().toEqualTypeOf<{ id: number; parent: number | null }>()
  expectTypeOf<InsertOf<typeof Category>>().toEqualTypeOf<{ id?: number; parent?: number | null }>()
})

test('stamps have the names they are given, and an actor may be a reference', () => {
  const Asset = defineModel(
    'assets',
    { name: Type.String() },
    { stamps: { createdAt: 'date_added', updatedAt: 'date_updated', createdBy: { name: 'added_by', field: Ref(() => User) } } },
  )
  expectTypeOf<RowOf<typeof Asset>>().toEqualTypeOf<{
    id: number
    name: string
    date_added: Date
    date_updated: Date
    added_by: number | null
    updated_by: string | null
  }>()
  const Short = defineModel('short', { name: Type.String() }, { stamps: { createdBy: Ref(() => User) } })
  expectTypeOf<RowOf<typeof Short>['created_by']>().toEqualTypeOf<number | null>()
})

test('a misspelt option or field does not compile', () => {
  const fields = { name: Type.String() }
  // @ts-expect-error the option is called softDelete
  const option = () => defineModel('a', fields, { softdelete: true })
  // @ts-expect-error there is no field nmae
  const column = () => defineModel('a', fields, { unique: [['nmae']] })
  // @ts-expect-error there are no stamps, so there is no created_at
  const stamp = () => defineModel('a', fields, { indexes: [['created_at']] })
  // @ts-expect-error only declared fields can be secret
  const secret = () => defineModel('a', fields, { secret: ['id'] })
  // @ts-expect-error there is no such id type
  const id = () => defineModel('a', fields, { id: 'serial' })
  // @ts-expect-error the default is none of the values
  const value = () => Default(Type.Enum(['a', 'b']), 'c')
  // @ts-expect-error null is only for optional fields
  const empty = () => Default(Type.String(), null)
  void [option, column, stamp, secret, id, value, empty]
})

test('every model is an AnyModel, and one whose id type is stated refuses others', () => {
  const Country = defineModel('countries', { name: Type.String() }, { id: 'text' })
  expectTypeOf(User).toExtend<AnyModel>()
  expectTypeOf(User).toExtend<AnyModel<number>>()
  expectTypeOf(Country).not.toExtend<AnyModel<number>>()
})
