import { type AnyModel, DateTime, defineModel, Json, Ref } from '@strongroom/core'
import { Type } from 'typebox'

/** Why a session is over. */
export const endReasons = ['signed_out', 'reused', 'credentials_changed', 'ended_for_all'] as const

/**
 * A sign-in and all that came of it: a family of refresh tokens, of which the newest is good. The hashes of the newest and the one before
 * are all that is kept of them.
 */
function defineSession(user: () => AnyModel<number | string>) {
  return defineModel(
    'auth_sessions',
    {
      user_id: Ref(user, { onDelete: 'cascade' }),
      token_hash: Type.String(),
      previous_hash: Type.Optional(Type.String()),
      /** What shows of a token that it is of this family, however old; a session from before there was one has none until it is refreshed. */
      family_key: Type.Optional(Type.String()),
      /** When the token before the newest was exchanged for it. */
      spent_at: Type.Optional(DateTime()),
      expires_at: DateTime(),
      ended_at: Type.Optional(DateTime()),
      end_reason: Type.Optional(Type.Enum(endReasons)),
      credentials_version: Type.Integer(),
    },
    { id: 'uuid', stamps: true, secret: ['token_hash', 'previous_hash', 'family_key'], indexes: [['user_id'], ['expires_at']] },
  )
}

/** A key that programs send instead of a password. It acts as its user. */
function defineApiKey(user: () => AnyModel<number | string>) {
  return defineModel(
    'auth_api_keys',
    {
      user_id: Ref(user, { onDelete: 'cascade' }),
      name: Type.String({ minLength: 1, maxLength: 50 }),
      /** How the key begins, for those who look for it. */
      hint: Type.String(),
      key_hash: Type.String(),
      scopes: Type.Optional(Json(Type.Array(Type.String()))),
      tenant: Type.Optional(Type.String()),
      expires_at: Type.Optional(DateTime()),
      last_used_at: Type.Optional(DateTime()),
      revoked_at: Type.Optional(DateTime()),
    },
    { id: 'uuid', stamps: true, secret: ['key_hash'], indexes: [['user_id']] },
  )
}

/** That an account was locked, for those who read the audit log: once a day and user at most, however many failures there are. */
function defineLockout(user: () => AnyModel<number | string>) {
  return defineModel(
    'auth_lockouts',
    { user_id: Ref(user, { onDelete: 'cascade' }), failures: Type.Integer({ minimum: 1 }), locked_at: DateTime() },
    { id: 'uuid', indexes: [['user_id'], ['locked_at']] },
  )
}

/** The models that point to the users. */
export function userBoundModels(user: () => AnyModel<number | string>) {
  return { Session: defineSession(user), ApiKey: defineApiKey(user), Lockout: defineLockout(user) }
}

export type LockoutModel = ReturnType<typeof defineLockout>
export type SessionModel = ReturnType<typeof defineSession>
export type ApiKeyModel = ReturnType<typeof defineApiKey>

/** A key that access tokens are signed with; its id is the `kid`. The material is empty where it is derived from the server's secret. */
export const SigningKey = defineModel(
  'auth_signing_keys',
  { material: Type.Optional(Type.String()), made_at: DateTime(), accepted_until: Type.Optional(DateTime()) },
  { id: 'text', secret: ['material'] },
)

/** An id of a token or session that is no good any more, kept for as long as something bears it. */
export const Revocation = defineModel('auth_revocations', { expires_at: DateTime() }, { id: 'text', indexes: [['expires_at']] })
