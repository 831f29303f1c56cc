import { describeEngines } from '@strongroom/testkit'
import { describe, expect, test } from 'vitest'
import { addUser, asWho, auditText, bearer, cheap, password, post, refreshStatus, signIn, startServer, statusOf } from './support.ts'

describeEngines('signing in', (engine) => {
  test('answers tokens for JSON and for the form of RFC 6749, whatever the case of the address', async () => {
    const server = await startServer(engine)
    const { id } = await addUser(server, { email: 'Ada@Example.COM', tenant: 'acme' })
    const json = await post(server, '/token', { email: 'ADA@example.com', password })
    expect(json.statusCode, json.body).toBe(200)
    expect(json.headers['cache-control']).toBe('no-store')
    expect(json.json()).toMatchObject({ token_type: 'Bearer', expires_in: 900, refresh_token: expect.stringMatching(/^rt_[\w-]{65}$/) })
    const form = await server.app.inject({
      method: 'POST',
      url: '/auth/token/',
      payload: new URLSearchParams({
        grant_type: 'password',
        username: 'ada@example.com',
        password,
        client_id: 'any',
        scope: '',
      }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect(form.statusCode, form.body).toBe(200)
    const principal = { id, name: 'ada@example.com', roles: ['member'], tenant: 'acme' }
    expect((await asWho(server, bearer(form.json().access_token))).json()).toEqual({ principal })
    const me = await server.app.inject({ url: '/auth/me', headers: bearer(json.json().access_token) })
    expect(me.json()).toEqual({ id, email: 'ada@example.com', roles: ['member'], tenant: 'acme', scopes: null, via: 'session' })
  })

  test('a request that says nothing of who it is from is nobody, and routes that need somebody refuse it', async () => {
    const server = await startServer(engine)
    expect((await asWho(server, {})).json()).toEqual({ principal: null })
    expect((await asWho(server, { authorization: 'Basic YTpi' })).json()).toEqual({ principal: null })
    const me = await server.app.inject({ url: '/auth/me' })
    expect([me.statusCode, me.headers['www-authenticate']]).toEqual([401, 'Bearer'])
  })

  test('a wrong password, an unknown address, no password and a suspended user get the same answer', async () => {
    const server = await startServer(engine)
    await addUser(server)
    await addUser(server, { email: 'suspended@example.com', disabled: true })
    await addUser(server, { email: 'keyless@example.com', password: null })
    const answers = await Promise.all([
      post(server, '/token', { email: 'ada@example.com', password: 'wrong horse battery' }),
      post(server, '/token', { email: 'nobody@example.com', password }),
      post(server, '/token', { email: 'suspended@example.com', password }),
      post(server, '/token', { email: 'keyless@example.com', password }),
    ])
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([401, 401, 401, 401])
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1)
  })

  test('bodies that cannot be understood are told what is wrong', async () => {
    const server = await startServer(engine)
    const form = (payload: string) =>
      server.app.inject({ method: 'POST', url: '/auth/token', payload, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
    expect((await form('username=a&username=b&password=c')).statusCode).toBe(400)
    expect((await form('grant_type=client_credentials')).statusCode).toBe(422)
    expect((await post(server, '/token', { email: 'ada@example.com' })).statusCode).toBe(400)
    expect((await post(server, '/token', { email: 7, password, admin: true })).json()).toMatchObject({
      code: 'validation_failed',
      detail: 'email: must be text; admin: is no field of this request',
    })
    expect((await post(server, '/refresh', {})).statusCode).toBe(422)
    expect((await post(server, '/token', { email: 'a\ud800', password })).statusCode).toBe(422)
  })

  describe('users', () => {
    test('who is suspended is refused at once, and the sessions do not come back with the user', async () => {
      const server = await startServer(engine)
      const { id } = await addUser(server)
      const tokens = await signIn(server)
      expect(await statusOf(server, tokens.access_token)).toBe(200)
      await server.users.update(id, { disabled: true })
      expect(await statusOf(server, tokens.access_token)).toBe(401)
      expect(await refreshStatus(server, tokens.refresh_token)).toBe(401)
      await server.users.update(id, { disabled: false })
      expect(await statusOf(server, tokens.access_token)).toBe(401)
      expect(await refreshStatus(server, tokens.refresh_token)).toBe(401)
      expect(await statusOf(server, (await signIn(server)).access_token)).toBe(200)
    })

    test('who is deleted is refused at once', async () => {
      const server = await startServer(engine)
      const { id } = await addUser(server)
      const tokens = await signIn(server)
      await server.users.delete(id)
      expect(await statusOf(server, tokens.access_token)).toBe(401)
      expect(await refreshStatus(server, tokens.refresh_token)).toBe(401)
    })

    test('who comes back, and whose sessions were ended by code, signs in again', async () => {
      const server = await startServer(engine)
      const { id } = await addUser(server)
      const tokens = await signIn(server)
      await server.users.delete(id)
      await server.users.restore(id)
      expect(await statusOf(server, tokens.access_token)).toBe(401)
      expect(await refreshStatus(server, tokens.refresh_token)).toBe(401)
      const next = await signIn(server)
      await server.auth.endSessions(id, { actor: 'boss' })
      expect(await statusOf(server, next.access_token)).toBe(401)
      await expect(server.auth.endSessions(4711)).rejects.toThrow(/4711/)
    })

    test('no way of writing a user brings old sessions back', async () => {
      const server = await startServer(engine)
      const { id } = await addUser(server)
      const tokens = await signIn(server)
      await server.users.update(id, { password: 'another horse is here' })
      await server.users.update(id, { credentials_version: 1 })
      await server.users.replace(id, { email: 'ada@example.com', credentials_version: 1 })
      await server.users.upsertMany([{ email: 'ada@example.com', credentials_version: 1 }], { on: ['email'] })
      expect(await statusOf(server, tokens.access_token)).toBe(401)
      expect((await server.users.get(id))?.credentials_version).toBe(3)
    })

    test('roles are those of now', async () => {
      const server = await startServer(engine)
      const { id } = await addUser(server)
      const { access_token } = await signIn(server)
      await server.users.update(id, { roles: ['admin'] })
      expect((await asWho(server, bearer(access_token))).json().principal.roles).toEqual(['admin'])
    })

    test('changing the password ends all sessions, on whichever way it is changed', async () => {
      const server = await startServer(engine)
      const { id } = await addUser(server)
      const [one, other] = [await signIn(server), await signIn(server)]
      const wrong = { current_password: 'wrong horse battery', new_password: 'another horse' }
      expect((await post(server, '/password', wrong, bearer(one.access_token))).statusCode).toBe(422)
      const weak = await post(server, '/password', { current_password: password, new_password: 'short' }, bearer(one.access_token))
      expect(weak.json().detail).toBe('new_password: must have at least 12 characters; several words are easy to remember')
      const right = { current_password: password, new_password: 'another horse' }
      expect((await post(server, '/password', right, bearer(one.access_token))).json()).toEqual({ status: 'password_changed' })
      for (const tokens of [one, other]) {
        expect(await statusOf(server, tokens.access_token)).toBe(401)
        expect(await refreshStatus(server, tokens.refresh_token)).toBe(401)
      }
      expect((await post(server, '/token', { email: 'ada@example.com', password })).statusCode).toBe(401)
      const third = await signIn(server, 'ada@example.com', 'another horse')
      await server.users.update(id, { password: 'a third horse is here' })
      expect(await statusOf(server, third.access_token)).toBe(401)
      await signIn(server, 'ada@example.com', 'a third horse is here')
    })

    test('a weak password is refused wherever it is written', async () => {
      const server = await startServer(engine)
      for (const [word, fault] of [
        ['hunter2', /at least 12 characters/],
        ['ababababababab', /more than three different/],
        ['someone@example.com', /not be the e-mail address/],
        ['x'.repeat(257), /at most 256/],
      ] as const) {
        await expect(server.users.insert({ email: 'someone@example.com', password: word })).rejects.toThrow(fault)
      }
    })

    test('a hash that costs another amount is made anew when its user signs in, and sessions stay', async () => {
      const url = await engine.freshUrl()
      const before = await startServer(engine, { url })
      const { id } = await addUser(before)
      const tokens = await signIn(before)
      const server = await startServer(engine, { url, passwordHash: { ...cheap, timeCost: 2 } })
      await signIn(server)
      const row = await server.users.get(id)
      expect(row?.password).toContain('m=64,t=2,p=1')
      expect(row?.credentials_version).toBe(1)
      expect(await statusOf(server, tokens.access_token)).toBe(200)
      await signIn(server)
    })

    test('a hash is taken over as it is, unless it would cost more than a server can bear', async () => {
      const server = await startServer(engine)
      const { id } = await addUser(server)
      const hash = (await server.users.get(id))?.password
      await server.users.insert({ email: 'moved@example.com', password: hash ?? null })
      await signIn(server, 'moved@example.com')
      const bomb = hash?.replace('m=64', 'm=4000000') ?? ''
      await server.users.insert({ email: 'bomb@example.com', password: bomb })
      expect((await server.users.findOne({ where: { email: 'bomb@example.com' } }))?.password).toContain('m=64')
    })
  })

  test('neither passwords nor hashes nor tokens stand in the audit log, nor tokens in the tables', async () => {
    const server = await startServer(engine)
    await addUser(server)
    const first = await signIn(server)
    const response = await post(server, '/refresh', { refresh_token: first.refresh_token })
    const { key } = (await post(server, '/api-keys', { name: 'ci' }, bearer(first.access_token))).json()
    await post(server, '/token', { email: 'typed my password here', password: 'canary password' })
    const log = await auditText(server)
    const tables = JSON.stringify(
      await Promise.all(
        ['auth_users', 'auth_sessions', 'auth_api_keys', 'auth_lockouts', 'strongroom_counters', 'auth_signing_keys'].map((table) =>
          server.storage.kysely
            .selectFrom(table as never)
            .selectAll()
            .execute(),
        ),
      ),
    )
    expect(tables).toContain('argon2id')
    for (const text of [
      password,
      'canary',
      'typed my',
      key.slice(-40),
      first.refresh_token.slice(-40),
      response.json().refresh_token.slice(-40),
    ]) {
      expect(log).not.toContain(text)
      expect(tables).not.toContain(text)
    }
    for (const text of [
      'argon2',
      ...JSON.parse(tables)
        .flat()
        .flatMap((row: Record<string, unknown>) => [row['token_hash'], row['key_hash']]),
    ]) {
      if (typeof text === 'string') expect(log).not.toContain(text)
    }
    expect(
      JSON.parse(log).map(({ component, operation, actor }: Record<string, string>) => `${actor} ${operation} ${component}`),
    ).toContain('ada@example.com create auth_sessions')
  })

  describe('the first administrator', () => {
    test('is made where there has never been a user, and there is none by default', async () => {
      const url = await engine.freshUrl()
      const bare = await startServer(engine, { url })
      expect(await bare.users.count()).toBe(0)
      expect(bare.log.join()).toContain('There are no users yet')
      const firstAdministrator = { email: 'root@example.com', password: 'a long first password' }
      const server = await startServer(engine, { url, firstAdministrator })
      const { access_token } = await signIn(server, 'root@example.com', firstAdministrator.password)
      expect((await asWho(server, bearer(access_token))).json().principal.roles).toEqual(['admin'])
      await server.users.deleteMany({})
      const again = await startServer(engine, { url, firstAdministrator })
      expect(await again.users.count()).toBe(0)
    })

    test('can be made by code, with a password that is good enough', async () => {
      const server = await startServer(engine)
      await expect(server.auth.createAdministrator({ email: 'root@example.com', password: 'admin' })).rejects.toThrow(/at least 12/)
      await server.auth.createAdministrator({ email: 'root@example.com', password, name: 'Root' })
      await signIn(server, 'root@example.com')
    })
  })
})
