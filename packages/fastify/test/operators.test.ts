import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { auditParameters } from '@strongroom/contract'
import { describeEngines } from '@strongroom/testkit'
import Fastify from 'fastify'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { bootstrap, createServer, dbRouter, trustedHeader } from '../src/index.ts'
import { resolveOptions } from '../src/options.ts'
import { ada, addUser, expectProblem, makeAccessors, startServer } from './support.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

const audit = { url: '/db/audit' }

describeEngines('the operators’ routes', (engine) => {
  describe('answer programs on this machine only', () => {
    test.each(['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])('a peer at %s', async (remoteAddress) => {
      const { app } = await startServer(engine)
      expect((await app.inject({ ...audit, remoteAddress })).statusCode).toBe(200)
      expect((await app.inject({ url: '/db/health', remoteAddress })).json()).toMatchObject({
        status: 'ok',
        engine: expect.any(String),
        latency_ms: expect.any(Number),
      })
    })

    test.each(['10.0.0.1', '192.168.1.7', '128.0.0.1', '::ffff:10.0.0.1', 'fe80::1', '::', '1127.0.0.1'])(
      'no peer at %s',
      async (remoteAddress) => {
        const { app } = await startServer(engine)
        const refused = await app.inject({ ...audit, remoteAddress })
        expect(refused.statusCode).toBe(403)
        expectProblem(refused)
        expect((await app.inject({ url: '/db/health', remoteAddress })).json()).toEqual({ status: 'ok' })
      },
    )

    const forwarded = [
      'Forwarded',
      'X-Forwarded-For',
      'X-Forwarded-Host',
      'X-Forwarded-Proto',
      'X-Forwarded-Anything',
      'X-Real-IP',
      'Via',
      'CF-Connecting-IP',
      'True-Client-IP',
      'X-Client-IP',
      'Fly-Client-IP',
      'Client-IP',
      'X-ARR-ClientIP',
      'X-ProxyUser-IP',
      'X-Vercel-Forwarded-For',
      'X-Original-Host',
      'Proxy-Connection',
      'CDN-Loop',
    ]
    test.each(forwarded)('nobody whose request has %s, not even an empty one', async (name) => {
      const { app } = await startServer(engine, {}, Fastify({ trustProxy: true }))
      for (const value of ['127.0.0.1', '']) {
        expect((await app.inject({ ...audit, headers: { [name]: value } })).statusCode).toBe(403)
        expect((await app.inject({ url: '/db/health', headers: { [name]: value } })).json()).toEqual({ status: 'ok' })
      }
    })

    test('a host that trusts a proxy does not make a stranger local', async () => {
      const { app } = await startServer(engine, {}, Fastify({ trustProxy: true }))
      expect((await app.inject({ ...audit, remoteAddress: '10.0.0.1', headers: { 'x-forwarded-for': '127.0.0.1' } })).statusCode).toBe(403)
    })

    test('no page of another site that points a name of its own here', async () => {
      const { app } = await startServer(engine)
      expect((await app.inject({ ...audit, headers: { host: 'evil.example:3000' } })).statusCode).toBe(403)
      for (const host of ['localhost', 'LOCALHOST:3000', '127.0.0.1:3000', '[::1]:3000']) {
        expect((await app.inject({ ...audit, headers: { host } })).statusCode).toBe(200)
      }
    })

    test('no page of another site, whatever it asks with', async () => {
      const { app } = await startServer(engine)
      for (const origin of ['https://evil.example', 'http://localhost.evil.example', 'null', 'http://10.0.0.1:3000']) {
        expect((await app.inject({ ...audit, headers: { origin } })).statusCode, origin).toBe(403)
      }
      for (const origin of ['http://localhost:5173', 'http://127.0.0.1:3000', 'https://[::1]:8080']) {
        expect((await app.inject({ ...audit, headers: { origin } })).statusCode, origin).toBe(200)
      }
    })

    test('nobody who speaks HTTP/1.0, as proxies do that were told nothing else', async () => {
      const { app } = await startServer(engine)
      await app.listen({ port: 0, host: '127.0.0.1' })
      const { port } = app.server.address() as AddressInfo
      const answers = ['1.0', '1.1'].map(async (version) => {
        const socket = connect(port, '127.0.0.1')
        socket.write(`GET /db/audit HTTP/${version}\r\nhost: 127.0.0.1:${port}\r\nconnection: close\r\n\r\n`)
        return (await text(socket)).split('\r\n', 1)[0]
      })
      expect(await Promise.all(answers)).toEqual(['HTTP/1.1 403 Forbidden', 'HTTP/1.1 200 OK'])
    })

    test('and one loud line in the log says so', async () => {
      const lines: string[] = []
      await startServer(
        engine,
        { prefix: '/api' },
        Fastify({ logger: { level: 'warn', stream: { write: (line: string) => lines.push(line) } } }),
      )
      expect(
        lines.filter((line) => line.includes('OPERATORS WITHOUT A LOGIN: /api/db/* answers every program on this machine')),
      ).toHaveLength(1)
    })
  })

  test('a function of the host decides alone who is an operator', async () => {
    const { app } = await startServer(engine, { operators: async (request) => request.headers['x-key'] === 'right' })
    expect((await app.inject(audit)).statusCode).toBe(403)
    expect((await app.inject({ ...audit, remoteAddress: '10.0.0.1', headers: { 'x-key': 'right', via: 'a proxy' } })).statusCode).toBe(200)
    expect((await app.inject({ url: '/db/health' })).json()).toEqual({ status: 'ok' })
  })

  test('a function that answers anything but true lets nobody in', async () => {
    const { app } = await startServer(engine, { operators: (() => 'yes') as unknown as () => boolean })
    expect((await app.inject(audit)).statusCode).toBe(403)
  })

  describe('the audit log', () => {
    async function filled() {
      const server = await startServer(engine)
      const write = (method: 'POST' | 'PUT' | 'DELETE', url: string, user: string, requestId: string, payload?: object) =>
        server.app.inject({ method, url, headers: { 'x-user': user, 'x-request-id': requestId }, ...(payload && { payload }) })
      await write('POST', '/users', 'ann', 'r1', { ...ada, password_hash: 'canary' })
      await write('PUT', '/users/1', 'ben', 'r2', { name: 'Ada L.' })
      await write('PUT', '/tags/1', 'ann', 'r3', { label: 'x' })
      await write('DELETE', '/users/1', 'ben', 'r4')
      return server
    }

    test('lists entries newest first, as the contract has them', async () => {
      const server = await filled()
      const response = await server.app.inject(audit)
      expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
      const entries: Record<string, unknown>[] = response.json()
      expect(entries.map((entry) => entry['operation'])).toEqual(['soft_delete', 'create', 'update', 'create'])
      expect(entries[2]).toEqual({
        id: expect.any(Number),
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        component: 'users',
        record_id: 1,
        operation: 'update',
        actor: 'ben',
        before: expect.objectContaining({ name: 'Ada', password_hash: '[secret]' }),
        after: expect.objectContaining({ name: 'Ada L.', password_hash: '[secret]' }),
        request_id: 'r2',
        transaction_id: expect.any(String),
        tenant: null,
        epoch: 1,
        position: entries[2]?.['position'],
        sealed: expect.any(Boolean),
        hash: entries[2]?.['hash'],
      })
      expect(entries[1]).toMatchObject({ component: 'tags', record_id: '1' })
      expect(entries[3]).toMatchObject({ before: null })
      expect(response.body).not.toContain('canary')
    })

    test('is walked by the cursors of its Link header', async () => {
      const server = await filled()
      const first = await server.app.inject({ url: '/db/audit?limit=3' })
      const next = /<([^>]*)>; rel="next"/.exec(String(first.headers.link))?.[1] ?? ''
      const second = await server.app.inject({ url: next })
      const requests = [first, second].map((response) => response.json().map((entry: { request_id: string }) => entry.request_id))
      expect(requests).toEqual([['r4', 'r3', 'r2'], ['r1']])
      expect(String(second.headers.link)).not.toContain('rel="next"')
      expect((await server.app.inject({ url: '/db/audit?after=x' })).statusCode).toBe(400)
    })

    test('is asked by every filter, alone and together', async () => {
      const server = await filled()
      const all: { timestamp: string }[] = (await server.app.inject(audit)).json()
      const newest = all[0]?.timestamp ?? ''
      const later = new Date(Date.parse(newest) + 1).toISOString()
      const cases: [query: string, requests: string[]][] = [
        ['component=users', ['r4', 'r2', 'r1']],
        ['component=users&record_id=1', ['r4', 'r2', 'r1']],
        ['record_id=1', ['r4', 'r3', 'r2', 'r1']],
        ['record_id=7', []],
        ['actor=ann', ['r3', 'r1']],
        ['operation=create', ['r3', 'r1']],
        ['operation=create&component=users', ['r1']],
        ['request_id=r2', ['r2']],
        ['actor=nobody', []],
        ['limit=2', ['r4', 'r3']],
        ['limit=2&offset=1', ['r3', 'r2']],
        ['offset=9', []],
        [`since=${later}`, []],
        [`until=${later}`, ['r4', 'r3', 'r2', 'r1']],
        ['since=2020-01-01T00:00:00%2B02:00&until=2020-01-01T00:00:00Z', []],
        ['since=2020-01-01T00:00:00+02:00', ['r4', 'r3', 'r2', 'r1']],
      ]
      for (const [query, requests] of cases) {
        const response = await server.app.inject({ url: `/db/audit?${query}` })
        expect(response.statusCode, `${query}: ${response.body}`).toBe(200)
        const entries: { request_id: string }[] = response.json()
        expect(
          entries.map((entry) => entry.request_id),
          query,
        ).toEqual(requests)
      }
    })

    test('since counts its instant, and until does not', async () => {
      const server = await filled()
      const [newest]: { timestamp: string }[] = (await server.app.inject({ url: '/db/audit?limit=1' })).json()
      const at = newest?.timestamp ?? ''
      const since: { timestamp: string }[] = (await server.app.inject({ url: `/db/audit?since=${at}` })).json()
      const until: { timestamp: string }[] = (await server.app.inject({ url: `/db/audit?until=${at}` })).json()
      expect(since.length).toBeGreaterThan(0)
      expect(since.every((entry) => entry.timestamp >= at)).toBe(true)
      expect(until.every((entry) => entry.timestamp < at)).toBe(true)
      expect(since.length + until.length).toBe(4)
    })

    test('refuses a bad value, and a parameter that it does not have', async () => {
      const { app } = await startServer(engine)
      const bad = [
        'limit=0',
        'limit=-1',
        'limit=1001',
        'limit=1e3',
        'limit=NaN',
        'limit=',
        'offset=-1',
        'offset=x',
        'since=yesterday',
        'until=2020-13-01T00:00:00Z',
        'since=2020-01-01',
        'until=',
        'since=2020-02-30T00:00:00Z',
        'operation=destroy',
        'operation=',
        'component=',
        'actor=%00',
        'actor=a&actor=b',
        'colour=red',
        'record_id=%ff',
        'actor[eq]=x',
      ]
      for (const query of bad) {
        const response = await app.inject({ url: `/db/audit?${query}` })
        expect(response.statusCode, `${query}: ${response.body}`).toBe(400)
        expect(response.json()).toMatchObject({ code: 'invalid_query' })
      }
      expect((await app.inject({ url: '/db/audit?colour=red' })).json()).toMatchObject({
        detail: `There is no parameter "colour" here. Parameters: ${auditParameters.map((parameter) => parameter.name).join(', ')}.`,
      })
    })
  })

  test('health says 503 when the database does not answer, and readiness too; the process is alive all the same', async () => {
    const server = await startServer(engine)
    await server.storage.close()
    for (const url of ['/db/health', '/ready', '/users']) {
      const response = await server.app.inject({ url })
      expect(response.statusCode, url).toBe(url === '/users' ? 500 : 503)
      expectProblem(response)
    }
    expect((await server.app.inject({ url: '/health' })).json()).toEqual({ status: 'ok' })
  })

  test('an actor of a write is never taken for an operator', async () => {
    const server = await startServer(engine)
    await addUser(server)
    const response = await server.app.inject({ ...audit, remoteAddress: '10.0.0.1', headers: { 'x-user': 'operator' } })
    expect(response.statusCode).toBe(403)
  })
})

describe('production has to say who the operators are', () => {
  const { users } = makeAccessors()

  test.each(['production', 'staging', '', undefined])('NODE_ENV=%s', (environment) => {
    vi.stubEnv('NODE_ENV', environment)
    const sentence = /Choose one: operators: 'loopback' .*, operators: \(request\) => … .*, or enableDbRouter: false/
    expect(() => resolveOptions({ accessors: [users] })).toThrow(sentence)
    expect(() => dbRouter()).toThrow(sentence)
    expect(resolveOptions({ accessors: [users], auth: false, operators: 'loopback' }).operators).toBe('loopback')
    expect(resolveOptions({ accessors: [users], auth: false, operators: () => true }).operators).toBeTypeOf('function')
    expect(resolveOptions({ accessors: [users], auth: false, enableDbRouter: false }).enableDbRouter).toBe(false)
    expect(dbRouter({ operators: 'loopback' })).toBeTypeOf('function')
  })

  test.each(['development', 'test'])('NODE_ENV=%s need not', (environment) => {
    vi.stubEnv('NODE_ENV', environment)
    expect(resolveOptions({ accessors: [users] }).operators).toBe('loopback')
  })

  test('a choice that is none is refused', () => {
    expect(() => resolveOptions({ accessors: [users], operators: 'everybody' as 'loopback' })).toThrow(
      /operators is 'loopback', a function/,
    )
    // Roles stand in a rule: { all: ['admin'] }.
    expect(() => resolveOptions({ accessors: [users], operators: ['admin'] as unknown as 'loopback' })).toThrow(/or rules by the routes/)
  })
})

describe('production has to say how it knows who asks', () => {
  const { users } = makeAccessors()
  const given = { accessors: [users], operators: 'loopback' } as const
  const authenticate = () => ({ id: 1 })

  test.each(['production', 'staging', '', undefined])('NODE_ENV=%s', async (environment) => {
    vi.stubEnv('NODE_ENV', environment)
    const sentence =
      /^Who asks has to be known in production.* Choose one: auth: passwordAuthentication\(…\) .*, auth: \{ authenticate: .*, actor: .*, auth: trustedHeader\(\) .*, or auth: false/
    expect(() => resolveOptions(given)).toThrow(sentence)
    const refused = { code: 'invalid_options', message: expect.stringMatching(sentence) }
    await expect(createServer({ ...given, databaseUrl: 'sqlite::memory:', port: 0 })).rejects.toMatchObject(refused)
    const app = Fastify()
    await expect(bootstrap(app, { ...given, databaseUrl: 'sqlite::memory:' })).rejects.toMatchObject(refused)
    expect(app.hasDecorator('storage')).toBe(false)
  })

  test.each([
    ['a login of its own', { auth: { authenticate } }],
    ['a name from the host’s login', { actor: () => 'ann' }],
    ['headers that are trusted', { auth: trustedHeader() }],
    ['nobody', { auth: false }],
  ] as const)('%s is a choice', (_what, choice) => {
    vi.stubEnv('NODE_ENV', 'production')
    expect(resolveOptions({ ...given, ...choice }).auth).toBe('auth' in choice && choice.auth ? choice.auth : undefined)
  })

  test.each(['development', 'test'])('NODE_ENV=%s need not', (environment) => {
    vi.stubEnv('NODE_ENV', environment)
    expect(resolveOptions({ accessors: [users] }).auth).toBeUndefined()
  })

  test('what only looks like a choice is refused', () => {
    for (const auth of [true, null, 'none', {}, 0, ''])
      expect(() => resolveOptions({ ...given, auth: auth as never })).toThrow(/auth is trustedHeader\(\)/)
  })
})
