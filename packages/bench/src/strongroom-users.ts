import { DateTime, Default, defineModel, ModelAccessor } from '@strongroom/core'
import { Type } from 'typebox'

/** The same table as the hand-written one. */
export const User = defineModel(
  'users',
  {
    name: Type.String({ minLength: 1, maxLength: 200 }),
    email: Type.String({ minLength: 3, maxLength: 200 }),
    age: Type.Integer({ minimum: 0, maximum: 150 }),
    created_at: Default(DateTime(), () => new Date()),
  },
  { softDelete: true, unique: [['email']], readOnly: ['created_at'] },
)

export const userAccessor = () => new ModelAccessor(User, 'users')
