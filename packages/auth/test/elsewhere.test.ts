import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { addUser, bearer, password, post, signIn, startServer } from './support.ts'

const lockout = { accountFailures: 100, addressFailures: 3 }

describeEngines('what is said where nobody looks for it', (engine) => {
  test('a token or key in the URL, a cookie or the body lets nobody in', async () => {
    const server = await startServer(engine)
    await addUser(server)
    const { access_token } = await signIn(server)
    const { key } = (await post(server, '/api-keys', { name: 'robot' }, bearer(access_token))).json()
    for (const [shown, headers] of [
      [access_token, bearer(access_token)],
      [key, { 'x-api-key': key }],
    ] as const) {
      expect((await server.app.inject({ url: '/auth/me', headers })).statusCode).toBe(200)
      for (const name of ['access_token', 'token', 'api_key', 'apikey', 'x-api-key', 'X-API-Key', 'authorization', 'key']) {
        const query = new URLSearchParams({ [name]: shown }).toString()
        expect((await server.app.inject({ url: `/auth/me?${query}` })).statusCode, name).not.toBe(200)
        expect((await server.app.inject({ url: `/who?${query}` })).json(), name).toEqual({ principal: null })
        const cookie = `${name.toLowerCase()}=${shown}`
        expect((await server.app.inject({ url: '/auth/me', headers: { cookie } })).statusCode, name).toBe(401)
        const change = { [name]: shown, current_password: password, new_password: 'another horse battery' }
        expect((await post(server, '/password', change)).statusCode, name).not.toBe(200)
      }
      for (const header of ['proxy-authorization', 'x-access-token', 'x-auth-token', 'x-authorization', 'api-key'])
        expect((await server.app.inject({ url: '/auth/me', headers: { [header]: `Bearer ${shown}` } })).statusCode, header).toBe(401)
    }
    // Nobody signed in, or changed anything, by any of these.
    expect((await post(server, '/token', { email: 'ada@example.com', password })).statusCode).toBe(200)
  })

  test('X-Forwarded-For gives nobody further tries, unless the proxy is trusted', async () => {
    const guess = (server: Awaited<ReturnType<typeof startServer>>, index: number, headers: Record<string, string>) =>
      server.app.inject({
        method: 'POST',
        url: '/auth/token',
        headers,
        remoteAddress: '203.0.113.7',
        payload: { email: `somebody${index}@example.com`, password: 'a guess of somebody' },
      })
    for (const trustProxy of [false, true]) {
      const server = await startServer(engine, { lockout, trustProxy })
      const statuses: number[] = []
      for (let index = 0; index < 5; index++)
        statuses.push((await guess(server, index, { 'x-forwarded-for': `198.51.100.${index}` })).statusCode)
      expect(statuses, String(trustProxy)).toEqual(trustProxy ? [401, 401, 401, 401, 401] : [401, 401, 401, 429, 429])
      const others = await Promise.all(
        [{ forwarded: 'for=198.51.100.9' }, { 'x-real-ip': '198.51.100.9' }].map((headers) => guess(server, 9, headers)),
      )
      // A trusted proxy's client without a header is the proxy itself, which has not guessed yet.
      expect(others.map(({ statusCode }) => statusCode)).toEqual(trustProxy ? [401, 401] : [429, 429])
    }
  })
})
