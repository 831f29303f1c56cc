import { Bytes, DateTime, Decimal, Default, Int64, Json, PlainDate } from '@strongroom/core'
import { Type } from 'typebox'

/** A field of each kind, with a default or without a value. */
export const everyKindOfField = {
  role: Default(Type.Enum(['writer', 'editor']), 'writer'),
  age: Type.Optional(Type.Integer({ minimum: 0, maximum: 150 })),
  weight: Type.Optional(Type.Number({ minimum: 0 })),
  active: Default(Type.Boolean(), true),
  balance: Type.Optional(Decimal({ precision: 12, scale: 2 })),
  visits: Type.Optional(Int64()),
  seen: Type.Optional(DateTime()),
  born: Type.Optional(PlainDate()),
  settings: Type.Optional(Json()),
  photo: Type.Optional(Bytes({ maxLength: 100 })),
}
