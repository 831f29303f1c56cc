import type { AnyModel, ModelAccessor } from '@strongroom/core'
import { defaultLockout, type LockoutOptions } from './attempts/login-attempts.ts'
import { defaultCost, type HashCost } from './passwords/password-hasher.ts'
import { refuse } from './refuse.ts'
import type { RevocationStore } from './revocations/revocation-store.ts'

/** The account of somebody who may do everything. */
export interface Administrator {
  readonly email: string
  readonly password: string
}

/** How users sign in. Everything has a default. */
export interface PasswordAuthenticationOptions {
  /**
   * The users, where they have routes, or fields of your own: an accessor of `User`, or of a model with the same fields. It is listed
   * among the server's accessors. Left out, users are kept in `auth_users`, and made by code alone.
   */
  readonly users?: Pick<ModelAccessor<AnyModel>, 'component' | 'model'> | undefined
  /**
   * At least 32 random characters, the same in all instances: the keys of access tokens are derived from it, and a copy of the database
   * is of no use to forge tokens. Left out, they are kept in the database.
   */
  readonly secret?: string | undefined
  /** Who makes the tokens, and whom they are for; `strongroom` unless said. */
  readonly issuer?: string | undefined
  readonly audience?: string | undefined
  /** Minutes that an access token lives; 15 unless said. */
  readonly accessTokenMinutes?: number | undefined
  /** Days that a refresh token is good for; 7 unless said. */
  readonly refreshTokenDays?: number | undefined
  /** Days after which a new key signs; 30 unless said. */
  readonly keyRotationDays?: number | undefined
  /** What a hash costs; `{ memoryCost: 19456, timeCost: 2, parallelism: 1 }` unless said. Older ones are made anew when their user signs in. */
  readonly passwordHash?: Partial<HashCost> | undefined
  /** Characters that a new password has at least; 12 unless said. */
  readonly minPasswordLength?: number | undefined
  /** `{ accountFailures: 5, addressFailures: 50, longestMinutes: 15 }` unless said. */
  readonly lockout?: Partial<LockoutOptions> | undefined
  /** Where revoked tokens are kept; a table of the database unless said. */
  readonly revocations?: RevocationStore | undefined
  /** How API keys begin; `sr` unless said. */
  readonly apiKeyPrefix?: string | undefined
  /** The role of those who look after users and keys; `admin` unless said. */
  readonly administrators?: string | undefined
  /** Is made at the start where there is no administrator yet. Both are left out, or none. */
  readonly firstAdministrator?: { readonly email?: string | undefined; readonly password?: string | undefined } | undefined
}

/** The options with every default filled in, and times in milliseconds. */
export interface ResolvedOptions {
  readonly users: ModelAccessor<AnyModel> | undefined
  readonly secret: string | undefined
  readonly issuer: string
  readonly audience: string
  readonly accessLifetime: number
  readonly refreshLifetime: number
  readonly rotateAfter: number
  readonly passwordHash: HashCost
  readonly minPasswordLength: number
  readonly lockout: LockoutOptions
  readonly revocations: RevocationStore | undefined
  readonly apiKeyPrefix: string
  readonly administrators: string
  readonly firstAdministrator: Administrator | undefined
}

/** The names of the options. */
export const optionNames: readonly string[] = [
  'users',
  'secret',
  'issuer',
  'audience',
  'accessTokenMinutes',
  'refreshTokenDays',
  'keyRotationDays',
  'passwordHash',
  'minPasswordLength',
  'lockout',
  'revocations',
  'apiKeyPrefix',
  'administrators',
  'firstAdministrator',
]
/** Characters; a random text of as many has more than 128 bits. */
const shortestSecret = 32
/** NIST SP 800-63B, 3.1.1.2: not less, whoever asks. */
const shortestPassword = 8
const minute = 60_000
const day = 86_400_000

/** Checks the options and fills in the defaults. Throws UsageError `invalid_options` with a sentence. */
export function resolveOptions(options: PasswordAuthenticationOptions): ResolvedOptions {
  refuseUnknown('passwordAuthentication', options, optionNames)
  const minPasswordLength = wholeNumber('minPasswordLength', options.minPasswordLength ?? 12)
  if (minPasswordLength < shortestPassword) refuse(`minPasswordLength is at least ${shortestPassword}.`)
  return {
    users: resolveUsers(options.users),
    secret: resolveSecret(options.secret),
    issuer: text('issuer', options.issuer ?? 'strongroom'),
    audience: text('audience', options.audience ?? 'strongroom'),
    accessLifetime: positive('accessTokenMinutes', options.accessTokenMinutes ?? 15) * minute,
    refreshLifetime: positive('refreshTokenDays', options.refreshTokenDays ?? 7) * day,
    rotateAfter: positive('keyRotationDays', options.keyRotationDays ?? 30) * day,
    passwordHash: numbers('passwordHash', options.passwordHash, defaultCost),
    minPasswordLength,
    lockout: numbers('lockout', options.lockout, defaultLockout),
    revocations: resolveStore(options.revocations),
    apiKeyPrefix: resolvePrefix(options.apiKeyPrefix ?? 'sr'),
    administrators: text('administrators', options.administrators ?? 'admin'),
    firstAdministrator: resolveAdministrator(options.firstAdministrator),
  }
}

function refuseUnknown(what: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options))
    if (!known.includes(name)) refuse(`"${name}" is no option of ${what}. There are ${known.join(', ')}.`)
}

function resolveUsers(users: PasswordAuthenticationOptions['users']): ModelAccessor<AnyModel> | undefined {
  if (users === undefined) return undefined
  if (typeof users !== 'object' || users === null || !('beforeInsert' in users)) return refuse('users is a ModelAccessor of the users.')
  // Accessors of different models do not fit each other's types; the fields are looked at before they are used.
  return users as unknown as ModelAccessor<AnyModel>
}

function resolveSecret(secret: string | undefined): string | undefined {
  if (secret === undefined) return undefined
  if (typeof secret !== 'string' || secret.length < shortestSecret || new Set(secret).size < 8)
    return refuse(
      `secret is a random text of at least ${shortestSecret} characters. Make one: node -p "crypto.randomBytes(32).toString('base64url')"`,
    )
  return secret
}

function resolveStore(store: RevocationStore | undefined): RevocationStore | undefined {
  if (store === undefined) return undefined
  if (typeof store?.revoke !== 'function' || typeof store.findRevoked !== 'function')
    refuse('revocations is a store with the methods revoke and findRevoked, such as redisRevocations(…) makes.')
  return store
}

function resolvePrefix(prefix: string): string {
  if (typeof prefix !== 'string' || !/^[a-z][a-z0-9]{0,15}$/.test(prefix) || prefix === 'rt')
    refuse('apiKeyPrefix is 1 to 16 small letters and digits that begin with a letter, and not "rt".')
  return prefix
}

function resolveAdministrator(given: PasswordAuthenticationOptions['firstAdministrator']): Administrator | undefined {
  const { email, password } = given ?? {}
  if (email === undefined && password === undefined) return undefined
  if (typeof email !== 'string' || email === '' || typeof password !== 'string' || password === '')
    return refuse('firstAdministrator has an email and a password: both, or none.')
  return { email, password }
}

function numbers<Numbers extends object>(name: string, given: Partial<Numbers> | undefined, defaults: Numbers): Numbers {
  refuseUnknown(name, given ?? {}, Object.keys(defaults))
  const all = { ...defaults, ...Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined)) }
  for (const [key, value] of Object.entries(all)) wholeNumber(`${name}.${key}`, value)
  return all
}

function wholeNumber(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value
  return refuse(`${name} is a whole number from 1 on.`)
}

function positive(name: string, value: unknown): number {
  if (typeof value === 'number' && value > 0 && value <= 10_000) return value
  return refuse(`${name} is a number above 0, up to 10000.`)
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '' && value.length <= 200) return value
  return refuse(`${name} is a text of 1 to 200 characters.`)
}
