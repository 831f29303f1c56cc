import { Bytes, DateTime, Decimal, Default, defineModel, Int64, Json, ModelAccessor, PlainDate, Ref } from '@strongroom/core'
import { Type } from 'typebox'

const Country = defineModel('countries', { name: Type.String({ minLength: 2 }) }, { id: { name: 'code', type: 'text', maxLength: 2 } })

const Device = defineModel('devices', { serial: Type.String({ pattern: '^[A-Z]{2}-\\d{4}$' }) }, { id: 'uuid' })

/** A field of every type, and every option of a model. */
const Person = defineModel(
  'people',
  {
    name: Type.String({ minLength: 1, maxLength: 200, description: 'As it stands in the passport.', examples: ['Ada Lovelace'] }),
    email: Type.String({ format: 'email' }),
    role: Default(Type.Enum(['operator', 'admin']), 'operator'),
    level: Default(Type.Integer({ minimum: 1, maximum: 9 }), 1),
    weight: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    active: Default(Type.Boolean(), true),
    balance: Type.Optional(Decimal({ precision: 12, scale: 2 })),
    visits: Type.Optional(Int64()),
    seen: Type.Optional(DateTime()),
    born: Type.Optional(PlainDate()),
    settings: Type.Optional(Json(Type.Object({ theme: Type.String(), size: Type.Optional(Type.Integer()) }))),
    notes: Default(Json(), []),
    photo: Type.Optional(Bytes({ maxLength: 64 })),
    grade: Type.Union([Type.Literal(1), Type.Literal(2), Type.Null()]),
    country: Type.Optional(Ref(() => Country)),
    device: Type.Optional(Ref(() => Device, { onDelete: 'setNull' })),
    code: Type.Optional(Type.String()),
    score: Default(Type.Integer(), 0),
    password_hash: Type.Optional(Type.String()),
  },
  {
    softDelete: true,
    stamps: true,
    unique: [['email']],
    secret: ['password_hash'],
    readOnly: ['score'],
    immutable: ['code'],
  },
)

/** Accessors of models that have, taken together, everything. */
export function makeAccessors() {
  return {
    people: new ModelAccessor(Person, 'people'),
    countries: new ModelAccessor(Country, 'countries'),
    devices: new ModelAccessor(Device, 'devices'),
  }
}
