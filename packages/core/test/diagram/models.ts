import { type AnyModel, Decimal, Default, defineModel, Ref } from '@strongroom/core'
import { Type } from 'typebox'

/** What nobody should run, in a place that takes any text. */
export const hostileText = `<svg onload="alert(1)">'\\N\\G &lt; & ]]> --> \u0000\u0001\n\ud800\u202e.`
export const shownText = `<svg onload="alert(1)">'\\N\\G &lt; & ]]> --> \ufffd\ufffd \ufffd\ufffd.`

/** The same in a place that takes what can be stored. */
export const hostileChoice = `<b onload=x>"\\N&gt;\u0001`
export const shownChoice = `<b onload=x>"\\N&gt;\ufffd`

export const User = defineModel(
  'users',
  {
    name: Type.String({ maxLength: 200, description: hostileText }),
    email: Type.String(),
    role: Default(Type.Enum(['operator', hostileChoice]), 'operator'),
    manager_id: Type.Optional(Ref((): AnyModel<number> => User)),
    password_hash: Type.Optional(Type.String()),
  },
  { stamps: true, softDelete: true, unique: [['email']], secret: ['password_hash'] },
)

export const Profile = defineModel(
  'profiles',
  { user_id: Ref(() => User, { onDelete: 'cascade' }), bio: Type.Optional(Type.String()) },
  { id: 'uuid', unique: [['user_id']] },
)

export const Order = defineModel(
  'orders',
  {
    buyer: Ref(() => User),
    seller: Type.Optional(Ref(() => User, { onDelete: 'setNull' })),
    number: Type.Integer(),
    total: Decimal({ precision: 12, scale: 2 }),
    state: Type.Enum(['draft', 'placed', 'paid', 'sent', 'returned', 'refunded']),
  },
  { unique: [['buyer', 'number']], stamps: { createdBy: Ref(() => User) } },
)
