import { readFile } from 'node:fs/promises'
import { Bytes, Default, defineModel, Json, ModelAccessor, openStorage } from '@strongroom/core'
import Fastify from 'fastify'
import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { type PasswordAuthenticationOptions, passwordAuthentication, redisRevocations, User } from '../src/index.ts'
import { optionNames } from '../src/options.ts'
import { authRoutes } from '../src/routes/auth-routes.ts'
import { secret } from './support.ts'

/** What somebody wrote without types. */
const wrong = (options: object): (() => unknown) => {
  return () => passwordAuthentication(options as PasswordAuthenticationOptions)
}

describe('options', () => {
  test.for<[object, RegExp]>([
    [{ issuers: 'x' }, /"issuers" is no option of passwordAuthentication/],
    [{ secret: 'short' }, /random text of at least 32 characters/],
    [{ secret: 'a'.repeat(40) }, /random text of at least 32 characters/],
    [{ minPasswordLength: 4 }, /at least 8/],
    [{ accessTokenMinutes: 0 }, /accessTokenMinutes is a number above 0/],
    [{ refreshTokenDays: '7' }, /refreshTokenDays is a number above 0/],
    [{ passwordHash: { memory: 1 } }, /"memory" is no option of passwordHash/],
    [{ lockout: { accountFailures: 0 } }, /lockout.accountFailures is a whole number/],
    [{ apiKeyPrefix: 'a_b' }, /apiKeyPrefix is 1 to 16 small letters/],
    [{ apiKeyPrefix: 'rt' }, /not "rt"/],
    [{ revocations: {} }, /methods revoke and findRevoked/],
    [{ firstAdministrator: { email: 'a@example.com' } }, /both, or none/],
    [{ firstAdministrator: { email: 'a@example.com', password: '' } }, /both, or none/],
    [{ users: {} }, /users is a ModelAccessor/],
    [{ issuer: '' }, /issuer is a text/],
  ])('%j are refused', ([options, sentence]) => {
    expect(wrong(options)).toThrow(sentence)
  })

  test('a secret is not shown when it is refused', () => {
    expect(wrong({ secret: 'canary' })).not.toThrow(/canary/)
  })

  test('variables that are not set are left out', () => {
    passwordAuthentication({ secret: undefined, firstAdministrator: { email: undefined, password: undefined }, users: undefined })
  })

  test('Redis is a client that sends commands', () => {
    expect(() => redisRevocations({} as never)).toThrow(/takes \{ sendCommand \}/)
  })
})

test('the guide has every option and every route', async () => {
  const guide = await readFile(new URL('../../../docs/guide/authentication.md', import.meta.url), 'utf8')
  for (const name of optionNames) expect(guide, name).toMatch(new RegExp(`^\\| [^|]*\`${name}\``, 'm'))
  for (const { method, path } of authRoutes) expect(guide).toContain(`| \`${method} /auth${path}\` |`)
})

describe('a users model of your own', () => {
  test('is refused with all that it lacks', () => {
    const Person = defineModel('people', { email: Type.String(), password: Type.String(), roles: Bytes({ maxLength: 1 }) })
    expect(() => passwordAuthentication({ users: new ModelAccessor(Person, 'people') })).toThrow(
      [
        'The model "people" cannot be that of the users. It needs',
        '- disabled: Default(Type.Boolean(), false)',
        '- credentials_version: Default(Type.Integer(), 1), named in readOnly',
        '- roles or role: Default(Json(Type.Array(Type.String())), []), or role as text',
        "- email: unique: [['email']]",
        '- password: has to be named in secret',
      ].join('\n'),
    )
  })

  test('works with a role, a password_hash and an id of its own', async () => {
    const Person = defineModel(
      'people',
      {
        email: Type.String({ format: 'email' }),
        full_name: Type.String(),
        role: Default(Type.Enum(['reader', 'admin']), 'reader'),
        password_hash: Type.String(),
        disabled: Default(Type.Boolean(), false),
        credentials_version: Default(Type.Integer(), 1),
        settings: Type.Optional(Json()),
      },
      { id: 'uuid', unique: [['email']], secret: ['password_hash'], readOnly: ['credentials_version'] },
    )
    const people = new ModelAccessor(Person, 'people')
    const auth = passwordAuthentication({ users: people, secret, passwordHash: { memoryCost: 64, timeCost: 1 } })
    const storage = await openStorage({ url: 'sqlite::memory:', accessors: [people, ...(auth.accessors ?? [])] })
    const app = Fastify()
    await app.register(async (scope) => auth.mount?.(scope, storage as never))
    await auth.createAdministrator({ email: 'Ada@example.com', password: 'correct horse battery', full_name: 'Ada' })
    const payload = { email: 'ada@example.com', password: 'correct horse battery' }
    const { access_token } = (await app.inject({ method: 'POST', url: '/auth/token', payload })).json()
    const me = await app.inject({ url: '/auth/me', headers: { authorization: `Bearer ${access_token}` } })
    const [ada] = await people.find()
    expect(me.json()).toEqual({ id: ada?.id, email: 'ada@example.com', roles: ['admin'], tenant: null, scopes: null, via: 'session' })
    await app.close()
    await storage.close()
  })

  test('has to be among the accessors of the server', async () => {
    const auth = passwordAuthentication({ users: new ModelAccessor(User, 'users') })
    const storage = await openStorage({ url: 'sqlite::memory:', accessors: [] })
    await expect(auth.mount?.(Fastify(), storage as never)).rejects.toThrow(/has to be among the accessors of the server/)
    await storage.close()
  })

  test('is not needed: users are kept beside, and can be made by code', async () => {
    const auth = passwordAuthentication({ secret, passwordHash: { memoryCost: 64, timeCost: 1 } })
    const storage = await openStorage({ url: 'sqlite::memory:', accessors: auth.accessors ?? [], access: auth.access ?? [] })
    await auth.createAdministrator({ email: 'ada@example.com', password: 'correct horse battery' })
    expect(await storage.accessor(User).find({ principal: { id: 1 } })).toMatchObject([{ email: 'ada@example.com', roles: ['admin'] }])
    expect(await storage.accessor(User).find({ principal: { id: 2, roles: ['admin'], tenant: 'acme' } })).toEqual([])
    expect(await storage.accessor(User).find({ principal: { id: 2, roles: ['admin'] } })).toHaveLength(1)
    await storage.close()
  })
})
