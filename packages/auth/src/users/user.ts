import { type Access, Default, defineAccess, defineModel, everyTenant, Json, type Rule } from '@strongroom/core'
import { Type } from 'typebox'

/**
 * The fields that a model of users needs, for one of your own with fields and stamps beside them. `password` is write-only: what is
 * written to it is stored as an argon2id hash, and it is never read. `roles` are the words that rules of access know; `tenant` is the
 * tenant that a user belongs to, `'*'` for all of them.
 *
 * @example
 * const Person = defineModel('people', { ...accountFields, phone: Type.Optional(Type.String()) }, { ...accountOptions, stamps: true })
 */
export const accountFields = {
  email: Type.String({ format: 'email', maxLength: 254 }),
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  roles: Default(Json(Type.Array(Type.String({ minLength: 1, maxLength: 60 }), { maxItems: 100 })), []),
  tenant: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  disabled: Default(Type.Boolean(), false),
  password: Type.Optional(Type.String({ maxLength: 512 })),
  credentials_version: Default(Type.Integer({ minimum: 1 }), 1),
}

/** The options that go with `accountFields`. */
export const accountOptions = {
  softDelete: true,
  unique: [['email']],
  secret: ['password'],
  readOnly: ['credentials_version'],
} as const

/**
 * People and programs that may sign in: `accountFields` and nothing else, with stamps.
 *
 * @example
 * const users = new ModelAccessor(User, 'users')
 * await bootstrap(app, { accessors: [users, tasks], access: [userAccess()], auth: passwordAuthentication({ users }) })
 */
export const User = defineModel('auth_users', accountFields, { ...accountOptions, stamps: true })

/**
 * Rules for `User`: administrators do everything with the users of their own tenant, or of all where theirs is `'*'`, and everybody
 * may read their own record.
 *
 * @param administrators the role of those who look after users; `admin` unless said
 */
export function userAccess(administrators = 'admin'): Access<typeof User> {
  const looksAfter: Rule<typeof User> = ({ roles, tenant }) => {
    if (!roles?.includes(administrators)) return false
    if (tenant === everyTenant) return true
    return { tenant: tenant === undefined || tenant === null ? { isNull: true } : tenant }
  }
  return defineAccess(User, {
    all: looksAfter,
    read: [looksAfter, ({ id }) => ({ id: id as number })],
    fields: { credentials_version: { read: administrators } },
  })
}
