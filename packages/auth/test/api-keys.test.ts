import { everyTenant } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { describe, expect, test } from 'vitest'
import { addUser, asWho, bearer, post, signIn, startServer, type TestServer } from './support.ts'

interface IssuedKey {
  readonly id: string
  readonly key: string
  readonly hint: string
}

async function issued(server: TestServer, token: string, fields: object = {}): Promise<IssuedKey> {
  const response = await post(server, '/api-keys', { name: 'ci', ...fields }, bearer(token))
  expect(response.statusCode, response.body).toBe(201)
  return response.json()
}

const keyStatus = async (server: TestServer, key: string): Promise<number> => (await asWho(server, { 'x-api-key': key })).statusCode

async function listed(server: TestServer, token: string, query = '') {
  return server.app.inject({ url: `/auth/api-keys${query}`, headers: bearer(token) })
}

const revoked = (server: TestServer, token: string, id: string) =>
  server.app.inject({ method: 'DELETE', url: `/auth/api-keys/${id}`, headers: bearer(token) })

describeEngines('API keys', (engine) => {
  test('are told once, and stand for their user by either header', async () => {
    const server = await startServer(engine)
    const { id } = await addUser(server)
    const { access_token } = await signIn(server)
    const made = await issued(server, access_token, { scopes: ['read'], expires_at: '2099-01-31T12:00:00+01:00' })
    expect(made).toMatchObject({ name: 'ci', user_id: id, scopes: ['read'], expires_at: '2099-01-31T11:00:00.000Z', last_used_at: null })
    expect(made.key).toMatch(/^sr_[\w-]{65}$/)
    expect(made.key.startsWith(made.hint)).toBe(true)
    const principal = { id, name: 'ada@example.com (key ci)', roles: ['member'], tenant: null, scopes: ['read'] }
    for (const headers of [{ 'x-api-key': made.key }, bearer(made.key)])
      expect((await asWho(server, headers)).json()).toEqual({ principal })
    const { key: _, ...rest } = made
    const [shown] = (await listed(server, access_token)).json()
    expect({ ...shown, last_used_at: null }).toEqual(rest)
  })

  test('are not made with scopes that say nothing', async () => {
    const server = await startServer(engine)
    await addUser(server)
    const { access_token } = await signIn(server)
    const ask = async (...scopes: string[]) => (await post(server, '/api-keys', { name: 'ci', scopes }, bearer(access_token))).json()
    expect((await ask('notes:raed', 'db:audit')).detail).toBe(
      'scopes.0: names no operation; for notes there are read, create, update, delete, restore, purge, write, *',
    )
    expect((await ask(':read')).detail).toBe('scopes.0: must be component:operation, such as users:read')
    expect((await ask('notes:read:all')).code).toBe('validation_failed')
    expect((await ask('db:read')).detail).toContain('names no operation; for db there are')
    expect(await ask('notes:write', '*:read', 'db:audit', 'db:*', 'reports')).toMatchObject({ name: 'ci' })
  })

  test('that are forged, cut, expired or revoked are refused with one answer', async () => {
    const server = await startServer(engine)
    await addUser(server)
    const { access_token } = await signIn(server)
    const { key, id } = await issued(server, access_token)
    const flipped = `${key.slice(0, -2)}${key.endsWith('AA') ? 'BB' : 'AA'}`
    const answers = await Promise.all(
      [flipped, key.slice(0, -1), `${key}A`, `sr_${'A'.repeat(65)}`, key.replace('sr_', 'xx_'), '', 'null'].map((forged) =>
        asWho(server, { 'x-api-key': forged }),
      ),
    )
    expect(new Set(answers.map(({ statusCode, body }) => `${statusCode} ${body}`)).size).toBe(1)
    expect(answers[0]?.statusCode).toBe(401)
    expect(await keyStatus(server, key)).toBe(200)
    expect((await revoked(server, access_token, id)).json()).toMatchObject({ id, revoked_at: expect.any(String) })
    expect(await keyStatus(server, key)).toBe(401)
    expect((await revoked(server, access_token, id)).statusCode).toBe(200)
    const soon = await issued(server, access_token, { expires_at: new Date(Date.now() + 300).toISOString() })
    await expect.poll(() => keyStatus(server, soon.key), { timeout: 5_000 }).toBe(401)
    const past = await post(server, '/api-keys', { name: 'old', expires_at: '2020-01-01T00:00:00Z' }, bearer(access_token))
    expect(past.json().detail).toBe('expires_at: must be in the future')
  })

  test('are over with their user, and stay when the password changes', async () => {
    const server = await startServer(engine)
    const { id } = await addUser(server)
    const { key } = await issued(server, (await signIn(server)).access_token)
    await server.users.update(id, { password: 'another horse is here' })
    expect(await keyStatus(server, key)).toBe(200)
    await server.users.update(id, { disabled: true })
    expect(await keyStatus(server, key)).toBe(401)
    await server.users.update(id, { disabled: false })
    expect(await keyStatus(server, key)).toBe(200)
    await server.users.delete(id)
    expect(await keyStatus(server, key)).toBe(401)
  })

  test('note when they were used, once an hour at most', async () => {
    const server = await startServer(engine)
    await addUser(server)
    const { access_token } = await signIn(server)
    const { key, id } = await issued(server, access_token)
    for (let use = 0; use < 5; use++) await keyStatus(server, key)
    const noted = () => server.storage.audit.find({ component: 'auth_api_keys', operation: 'update', record_id: id })
    await expect.poll(noted).toHaveLength(1)
    await Promise.all(Array.from({ length: 5 }, () => keyStatus(server, key)))
    expect(await noted()).toHaveLength(1)
    expect((await listed(server, access_token)).json()[0].last_used_at).toEqual(expect.any(String))
  })

  test('cannot make or revoke keys, nor change the password', async () => {
    const server = await startServer(engine)
    await addUser(server)
    const { access_token } = await signIn(server)
    const { key, id } = await issued(server, access_token)
    for (const [method, url, payload] of [
      ['POST', '/auth/api-keys', { name: 'more' }],
      ['GET', '/auth/api-keys', undefined],
      ['DELETE', `/auth/api-keys/${id}`, undefined],
      ['POST', '/auth/password', { current_password: 'a', new_password: 'b' }],
    ] as const) {
      const response = await server.app.inject({ method, url, headers: { 'x-api-key': key }, ...(payload && { payload }) })
      expect([response.statusCode, response.json().code], `${method} ${url}`).toEqual([403, 'forbidden'])
    }
    expect((await server.app.inject({ url: '/auth/me', headers: { 'x-api-key': key } })).json()).toMatchObject({ via: 'api_key' })
  })

  describe('of others', () => {
    test("are not there, but for administrators of the user's tenant", async () => {
      const server = await startServer(engine)
      const ada = await addUser(server, { tenant: 'acme' })
      for (const [email, roles, tenant] of [
        ['bob@example.com', ['member'], 'acme'],
        ['boss@example.com', ['admin'], 'acme'],
        ['stranger@example.com', ['admin'], 'other'],
        ['nowhere@example.com', ['admin'], null],
        ['operator@example.com', ['admin'], everyTenant],
      ] as const)
        await addUser(server, { email, roles: [...roles], tenant })
      const { id, key } = await issued(server, (await signIn(server)).access_token)
      for (const email of ['bob@example.com', 'stranger@example.com', 'nowhere@example.com']) {
        const { access_token } = await signIn(server, email)
        expect((await listed(server, access_token)).json()).toEqual([])
        expect((await listed(server, access_token, `?user_id=${ada.id}`)).statusCode).toBe(403)
        expect((await listed(server, access_token, '?user_id=4711')).body).toBe(
          (await listed(server, access_token, `?user_id=${ada.id}`)).body,
        )
        const missing = await revoked(server, access_token, '0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7f80')
        const held = await revoked(server, access_token, id)
        expect([held.statusCode, held.body]).toEqual([404, missing.body])
      }
      expect(await keyStatus(server, key)).toBe(200)
      for (const email of ['boss@example.com', 'operator@example.com']) {
        const { access_token } = await signIn(server, email)
        expect((await listed(server, access_token, `?user_id=${ada.id}`)).json()).toHaveLength(1)
      }
      expect((await revoked(server, (await signIn(server, 'boss@example.com')).access_token, id)).statusCode).toBe(200)
      expect(await keyStatus(server, key)).toBe(401)
    })

    test('are for the own tenant, or any of them for users who work for all', async () => {
      const server = await startServer(engine)
      await addUser(server, { tenant: 'acme' })
      await addUser(server, { email: 'operator@example.com', tenant: everyTenant })
      const own = await signIn(server)
      expect((await post(server, '/api-keys', { name: 'x', tenant: 'other' }, bearer(own.access_token))).statusCode).toBe(422)
      expect((await post(server, '/api-keys', { name: 'x', tenant: '*' }, bearer(own.access_token))).statusCode).toBe(422)
      const { key } = await issued(server, (await signIn(server, 'operator@example.com')).access_token, { tenant: 'acme' })
      expect((await asWho(server, { 'x-api-key': key })).json().principal.tenant).toBe('acme')
    })
  })

  test('of a user who moves to another tenant do not stay in the old one', async () => {
    const server = await startServer(engine)
    const { id } = await addUser(server, { tenant: everyTenant })
    const { key } = await issued(server, (await signIn(server)).access_token, { tenant: 'acme' })
    await server.users.update(id, { tenant: 'other' })
    expect(await keyStatus(server, key)).toBe(401)
  })
})
