import { randomBytes } from 'node:crypto'
import { describeEngines } from '@strongroom/testkit'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { RevocationStore } from '../src/index.ts'
import { addUser, bearer, post, refreshStatus, signIn, startServer, statusOf, type TestServer, type Tokens } from './support.ts'

async function refreshed(server: TestServer, token: string): Promise<Tokens> {
  const response = await post(server, '/refresh', { refresh_token: token })
  expect(response.statusCode, response.body).toBe(200)
  return response.json()
}

/** A store that keeps what it is told as long as it is up. */
function storeThatCanFail(): RevocationStore & { up: boolean } {
  const revoked = new Set<string>()
  const store = {
    up: true,
    revoke: async (ids: readonly string[]) => {
      if (!store.up) throw new Error('connection refused')
      for (const id of ids) revoked.add(id)
    },
    findRevoked: async (ids: readonly string[]) => {
      if (!store.up) throw new Error('connection refused')
      return ids.filter((id) => revoked.has(id))
    },
  }
  return store
}

describeEngines('sessions', (engine) => {
  describe('refreshing', () => {
    test('exchanges a refresh token for the next pair, as a form of RFC 6749 too', async () => {
      const server = await startServer(engine)
      await addUser(server)
      const first = await signIn(server)
      const second = await refreshed(server, first.refresh_token)
      expect(second).toMatchObject({ token_type: 'Bearer', expires_in: 900 })
      expect(second.refresh_token).not.toBe(first.refresh_token)
      expect(await statusOf(server, second.access_token)).toBe(200)
      const form = await server.app.inject({
        method: 'POST',
        url: '/auth/token',
        payload: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: second.refresh_token }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
      expect(await refreshStatus(server, form.json().refresh_token)).toBe(200)
    })

    test('a token that was spent before ends its family, and no other', async () => {
      const server = await startServer(engine)
      await addUser(server)
      const [first, other] = [await signIn(server), await signIn(server)]
      const second = await refreshed(server, first.refresh_token)
      const third = await refreshed(server, second.refresh_token)
      expect(await refreshStatus(server, first.refresh_token)).toBe(401)
      for (const tokens of [first, second, third]) {
        expect(await statusOf(server, tokens.access_token)).toBe(401)
        expect(await refreshStatus(server, tokens.refresh_token)).toBe(401)
      }
      expect(await statusOf(server, other.access_token)).toBe(200)
      expect(await refreshStatus(server, other.refresh_token)).toBe(200)
    })

    test('a token that is sent again straight after its answer ends its family', async () => {
      const server = await startServer(engine)
      await addUser(server)
      const { refresh_token } = await signIn(server)
      const second = await refreshed(server, refresh_token)
      expect(await refreshStatus(server, refresh_token)).toBe(401)
      expect(await refreshStatus(server, second.refresh_token)).toBe(401)
    })

    test('a token that is sent again after the clock was set back by an hour ends its family', async () => {
      const server = await startServer(engine)
      await addUser(server)
      const { refresh_token } = await signIn(server)
      const second = await refreshed(server, refresh_token)
      onTestFinished(() => void vi.useRealTimers())
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 })
      expect(await refreshStatus(server, refresh_token)).toBe(401)
      expect(await refreshStatus(server, second.refresh_token)).toBe(401)
    })

    test('of several at the same time one wins, and the session goes on', async () => {
      const server = await startServer(engine)
      await addUser(server)
      for (let round = 0; round < 5; round++) {
        const { refresh_token } = await signIn(server)
        const answers = await Promise.all(Array.from({ length: 4 }, () => post(server, '/refresh', { refresh_token })))
        expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 401, 401, 401])
        const [winner] = answers.flatMap((answer): Tokens[] => (answer.statusCode === 200 ? [answer.json()] : []))
        if (!winner) throw new Error('Nobody won.')
        expect(await statusOf(server, winner.access_token)).toBe(200)
        await refreshed(server, winner.refresh_token)
      }
    })

    test('tokens that are forged, cut or of another kind are refused, and end nothing', async () => {
      const server = await startServer(engine)
      await addUser(server)
      const { refresh_token, access_token } = await signIn(server)
      const { key } = (await post(server, '/api-keys', { name: 'ci' }, bearer(access_token))).json()
      const forged = [
        'x',
        access_token,
        key,
        `rt_${'A'.repeat(65)}`,
        refresh_token.slice(0, -1),
        `${refresh_token}A`,
        refresh_token.replace('rt_', 'RT_'),
        `${refresh_token}\n`,
      ]
      for (const token of forged) expect(await refreshStatus(server, token), token).toBe(401)
      expect(await refreshStatus(server, refresh_token)).toBe(200)
    })

    test('who knows a session’s id alone can neither refresh nor end it', async () => {
      const server = await startServer(engine)
      await addUser(server)
      const first = await signIn(server)
      const second = await refreshed(server, first.refresh_token)
      for (const { refresh_token } of [first, second]) {
        // the end of a secret shows that it is this family's, its beginning tells them apart
        const [id, secret] = [refresh_token.slice(0, 25), refresh_token.slice(25)]
        const forged = [randomBytes(32), Buffer.alloc(32), Buffer.concat([randomBytes(16), Buffer.from(secret, 'base64url').subarray(16)])]
        for (const bytes of forged) {
          const token = `${id}${bytes.toString('base64url')}`
          expect(await refreshStatus(server, token)).toBe(401)
          await post(server, '/logout', { refresh_token: token })
        }
      }
      expect(await statusOf(server, second.access_token)).toBe(200)
      expect(server.auth.figures?.find(({ name }) => name === 'strongroom_refresh_reuse_total')?.read()).toBe(0)
      await refreshed(server, second.refresh_token)
    })

    test('a session from before its tokens showed their family is refreshed, and is one from then on', async () => {
      const server = await startServer(engine)
      await addUser(server)
      const first = await signIn(server)
      const sessions = server.storage.accessors.find(({ component }) => component === 'auth_sessions')
      await sessions?.updateMany({}, { family_key: null } as never)
      const second = await refreshed(server, first.refresh_token)
      const third = await refreshed(server, second.refresh_token)
      const fourth = await refreshed(server, third.refresh_token)
      expect(await refreshStatus(server, second.refresh_token)).toBe(401)
      expect(await refreshStatus(server, fourth.refresh_token)).toBe(401)
    })

    test('a refresh token is over after its days', async () => {
      const server = await startServer(engine, { refreshTokenDays: 1e-8 })
      await addUser(server)
      const { refresh_token, access_token } = await signIn(server)
      expect(await refreshStatus(server, refresh_token)).toBe(401)
      expect(await statusOf(server, access_token)).toBe(401)
    })

    test('what is over is forgotten', async () => {
      const server = await startServer(engine)
      const { id } = await addUser(server)
      await signIn(server)
      const sessions = server.storage.accessors.find(({ component }) => component === 'auth_sessions')
      const longAgo = new Date('2020-01-01')
      await sessions?.insert({ user_id: id, token_hash: 'x', expires_at: longAgo, credentials_version: 1 })
      await server.auth.revocations.revoke(['long ago'], longAgo)
      expect(await server.auth.revocations.isRevoked(['long ago'])).toBe(true)
      await server.auth.sweep()
      expect(await sessions?.count()).toBe(1)
      expect(await server.auth.revocations.isRevoked(['long ago'])).toBe(false)
    })
  })

  describe('signing out', () => {
    test('by access token or refresh token ends the session, in all instances', async () => {
      const url = await engine.freshUrl()
      const [server, neighbour] = [await startServer(engine, { url }), await startServer(engine, { url })]
      await addUser(server)
      const [one, two, kept] = [await signIn(server), await signIn(server), await signIn(server)]
      expect(await statusOf(neighbour, one.access_token)).toBe(200)
      expect((await post(server, '/logout', {}, bearer(one.access_token))).json()).toEqual({ status: 'signed_out' })
      expect((await post(server, '/logout', { token: two.refresh_token })).statusCode).toBe(200)
      for (const ended of [one, two]) {
        for (const instance of [server, neighbour]) expect(await statusOf(instance, ended.access_token)).toBe(401)
        expect(await refreshStatus(neighbour, ended.refresh_token)).toBe(401)
      }
      expect(await statusOf(neighbour, kept.access_token)).toBe(200)
      expect(await refreshStatus(neighbour, kept.refresh_token)).toBe(200)
    })

    test('holds at once, among many requests that are asked for together', async () => {
      const server = await startServer(engine)
      await addUser(server)
      const [ended, kept] = [await signIn(server), await signIn(server)]
      const out = post(server, '/logout', {}, bearer(ended.access_token))
      const during = Array.from({ length: 10 }, () => statusOf(server, ended.access_token))
      expect((await out).statusCode).toBe(200)
      const after = Array.from({ length: 20 }, (_, index) => statusOf(server, (index % 2 ? kept : ended).access_token))
      expect(new Set(await Promise.all(after.filter((_, index) => index % 2 === 0)))).toEqual(new Set([401]))
      expect(new Set(await Promise.all(after.filter((_, index) => index % 2 === 1)))).toEqual(new Set([200]))
      for (const status of await Promise.all(during)) expect([200, 401]).toContain(status)
    })

    test('everybody at once, by code, leaves no token good', async () => {
      const server = await startServer(engine)
      await addUser(server)
      await addUser(server, { email: 'bob@example.com' })
      const all = [await signIn(server), await signIn(server), await signIn(server, 'bob@example.com')]
      await server.auth.endAllSessions({ actor: 'boss' })
      for (const tokens of all) {
        expect(await statusOf(server, tokens.access_token)).toBe(401)
        expect(await refreshStatus(server, tokens.refresh_token)).toBe(401)
      }
      expect(await statusOf(server, (await signIn(server)).access_token)).toBe(200)
    })

    test('a token that means nothing is no error, and no token at all is one', async () => {
      const server = await startServer(engine)
      await addUser(server)
      expect((await post(server, '/logout', { refresh_token: 'x' })).statusCode).toBe(200)
      expect((await post(server, '/logout', {}, bearer('a.b.c'))).statusCode).toBe(200)
      expect((await post(server, '/logout', {})).statusCode).toBe(400)
    })

    test('a single access token can be turned away by its id', async () => {
      const server = await startServer(engine)
      await addUser(server)
      const { access_token, refresh_token } = await signIn(server)
      const { jti } = JSON.parse(Buffer.from(access_token.split('.')[1] ?? '', 'base64url').toString())
      await server.auth.revocations.revoke([jti], new Date(Date.now() + 900_000))
      expect(await statusOf(server, access_token)).toBe(401)
      expect(await statusOf(server, (await refreshed(server, refresh_token)).access_token)).toBe(200)
    })
  })

  describe('when the store of revocations is down', () => {
    test('nobody with a token is let in, it is counted, and told once', async () => {
      const store = storeThatCanFail()
      const server = await startServer(engine, { revocations: store })
      await addUser(server)
      const tokens = await signIn(server)
      store.up = false
      const refused = await server.app.inject({ url: '/who', headers: bearer(tokens.access_token) })
      expect([refused.statusCode, refused.json().code, refused.headers['retry-after']]).toEqual([503, 'storage_unavailable', '5'])
      expect((await post(server, '/logout', { refresh_token: tokens.refresh_token })).statusCode).toBe(503)
      expect([server.auth.revocations.failures, server.auth.revocations.isDown]).toEqual([2, true])
      expect(server.log.filter((line) => line.includes('does not answer'))).toHaveLength(1)
      store.up = true
      // the session had ended, and its access token follows with the next try
      expect((await post(server, '/logout', { refresh_token: tokens.refresh_token })).statusCode).toBe(200)
      expect(await statusOf(server, tokens.access_token)).toBe(401)
      expect(server.auth.revocations.isDown).toBe(false)
      expect(await statusOf(server, (await signIn(server)).access_token)).toBe(200)
    })

    test('a store that answers nonsense lets nobody in', async () => {
      const server = await startServer(engine, {
        revocations: { revoke: async () => undefined, findRevoked: async () => undefined as never },
      })
      await addUser(server)
      expect(await statusOf(server, (await signIn(server)).access_token)).toBe(503)
    })
  })
})
