import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import helmet from '@fastify/helmet'
import { defineAccess, defineModel, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { bootstrap, type CreateServerOptions, createServer } from '../src/index.ts'
import { closeAfterTest, expectProblem } from './support.ts'

const Note = defineModel('notes', { text: Type.String() })

async function serve(options: Partial<CreateServerOptions> = {}): Promise<FastifyInstance & { notes: ModelAccessor<typeof Note> }> {
  const notes = new ModelAccessor(Note, 'notes')
  const app = await createServer({ accessors: [notes], databaseUrl: 'sqlite::memory:', port: 0, logger: false, ...options })
  return Object.assign(closeAfterTest(app), { notes })
}

const portOf = (app: FastifyInstance): number => (app.server.address() as AddressInfo).port

describeEngines('a limit of requests', (engine) => {
  test('is one for all servers on a database, for each caller, whatever is said in X-Forwarded-For', async () => {
    const databaseUrl = await engine.freshUrl()
    const rateLimit = {
      requests: 4,
      period: 3600,
      by: ({ headers }: { headers: Record<string, unknown> }) => String(headers['x-login'] ?? ''),
    }
    const servers = [await serve({ databaseUrl, rateLimit }), await serve({ databaseUrl, rateLimit })]
    const ask = (index: number, headers: Record<string, string> = {}, remoteAddress = '10.0.0.1') =>
      // Two servers, and the index of one of them.
      (servers[index % 2] as FastifyInstance).inject({ url: '/notes', headers, remoteAddress })
    for (const index of [0, 1, 2, 3]) {
      const { statusCode, headers } = await ask(index)
      expect(statusCode).toBe(200)
      expect(headers).toMatchObject({ 'ratelimit-policy': '"default";q=4;w=3600', ratelimit: `"default";r=${3 - index};t=3600` })
    }
    for (const index of [0, 1]) {
      const refused = await ask(index, { 'x-forwarded-for': `10.0.1.${index}` })
      expect(refused.json()).toMatchObject({ status: 429, code: 'too_many_requests' })
      expect(refused.headers['ratelimit']).toMatch(/^"default";r=0;t=3\d{3}$/)
      expect(refused.headers['retry-after']).toMatch(/^3\d{3}$/)
      expectProblem(refused)
    }
    expect((await ask(0, {}, '10.0.0.2')).statusCode).toBe(200)
    expect((await ask(1, { 'x-login': 'ada' })).headers['ratelimit']).toBe('"default";r=3;t=3600')
    expect((await servers[0]?.inject({ url: '/nowhere', remoteAddress: '10.0.0.1' }))?.statusCode).toBe(429)
  })

  test('is one for each principal of each tenant, whose ids may be the same', async () => {
    // One object for all of them is another principal each time.
    const shared = { id: 0, tenant: '' }
    const auth = {
      authenticate: ({ headers }: FastifyRequest) =>
        Object.assign(shared, { id: Number(headers['x-id']), tenant: String(headers['x-org']) }),
    }
    const access = [defineAccess(Note, { all: true })]
    const app = await serve({ databaseUrl: await engine.freshUrl(), access, auth, rateLimit: { requests: 1, period: 3600 } })
    const ask = async (id: string, tenant: string) =>
      (await app.inject({ url: '/notes', headers: { 'x-id': id, 'x-org': tenant } })).statusCode
    const statuses = [await ask('7', 'red'), await ask('7', 'red'), await ask('7', 'blue'), await ask('8', 'red'), await ask('7', 'blue')]
    expect(statuses).toEqual([200, 429, 200, 200, 429])
  })
})

describe('behind a proxy', () => {
  test('callers are told apart by X-Forwarded-For when the proxy is trusted, IPv6 by networks', async () => {
    const app = await serve({ trustProxy: '10.0.0.1', rateLimit: { requests: 1 } })
    const ask = async (forwarded: string, remoteAddress = '10.0.0.1') =>
      (await app.inject({ url: '/notes', headers: { 'x-forwarded-for': forwarded }, remoteAddress })).statusCode
    expect([await ask('192.0.2.1'), await ask('192.0.2.1'), await ask('192.0.2.2')]).toEqual([200, 429, 200])
    expect([await ask('2001:db8::1'), await ask('2001:db8::2'), await ask('2001:db8:0:1::1')]).toEqual([200, 429, 200])
    expect([await ask('192.0.2.3', '10.0.0.9'), await ask('192.0.2.4', '10.0.0.9')]).toEqual([200, 429])
  })

  test('whoever watches the server on its own machine is not counted', async () => {
    const app = await serve({ rateLimit: { requests: 1 } })
    for (const url of ['/health', '/ready', '/health/']) {
      for (const _ of [1, 2]) {
        const { statusCode, headers } = await app.inject({ url })
        expect(statusCode).toBe(200)
        expect(headers['ratelimit']).toBeUndefined()
      }
    }
    expect((await app.inject({ url: '/health', remoteAddress: '10.0.0.1' })).statusCode).toBe(200)
    expect((await app.inject({ url: '/health', remoteAddress: '10.0.0.1' })).statusCode).toBe(429)
    expect((await app.inject({ url: '/health', headers: { 'x-forwarded-for': '1.1.1.1' } })).headers['ratelimit']).toBeDefined()
  })
})

describe('browsers', () => {
  test('of the origins that are named may read answers, errors and preflights among them', async () => {
    const app = await serve({ corsOrigins: ['https://app.example'], rateLimit: { requests: 2 } })
    const origin = 'https://app.example'
    const preflight = await app.inject({
      method: 'OPTIONS',
      url: '/notes/1',
      headers: { origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'x-user,if-match' },
    })
    expect(preflight.statusCode).toBe(204)
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': 'x-user,if-match',
    })
    const list = await app.inject({ url: '/notes', headers: { origin } })
    for (const name of ['Link', 'X-Total-Count', 'ETag', 'RateLimit', 'Retry-After', 'X-Request-Id'])
      expect(list.headers['access-control-expose-headers']).toContain(name)
    expect(
      (await app.inject({ url: '/notes', headers: { origin: 'https://evil.example' } })).headers['access-control-allow-origin'],
    ).toBeUndefined()
    const refused = await app.inject({ url: '/notes', headers: { origin } })
    expect([refused.statusCode, refused.headers['access-control-allow-origin']]).toEqual([429, origin])
  })

  test('are told to do nothing with answers but read them, and the page of the API still works', async () => {
    const app = await serve()
    const { headers } = await app.inject({ url: '/notes' })
    const directives = { defaultSrc: ["'none'"], frameAncestors: ["'none'"], baseUri: ["'none'"] }
    const helmeted = closeAfterTest(Fastify())
    await helmeted.register(helmet, {
      contentSecurityPolicy: { useDefaults: false, directives },
      strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
      frameguard: { action: 'deny' },
    })
    helmeted.get('/notes', async () => [])
    const { date: _, 'content-length': __, ...wanted } = (await helmeted.inject({ url: '/notes' })).headers
    expect(headers).toMatchObject(wanted)
    expect(headers['x-frame-options']).toBe('DENY')
    expect(headers['access-control-allow-origin']).toBeUndefined()
    expect((await app.inject({ url: '/nowhere' })).headers['x-content-type-options']).toBe('nosniff')
    const page = await app.inject({ url: '/docs' })
    expect(page.headers['content-security-policy']).toContain("default-src 'self'")
    for (const [, script = ''] of page.body.matchAll(/<script src="([^"]+)"/g))
      expect((await app.inject({ url: script })).statusCode).toBe(200)
  })
})

describe('a server in a host', () => {
  test('gets nothing of the edge, and a limit for our routes alone where it asks for one', async () => {
    const app = closeAfterTest(Fastify())
    app.get('/theirs', async () => 'theirs')
    const notes = new ModelAccessor(Note, 'notes')
    await bootstrap(app, { accessors: [notes], databaseUrl: 'sqlite::memory:', rateLimit: { requests: 1, period: 60 } })
    const ask = async (url: string) => await app.inject({ url, remoteAddress: '10.0.0.1' })
    const ours = await ask('/notes')
    expect(ours.headers).toMatchObject({ ratelimit: '"default";r=0;t=60' })
    expect(ours.headers['content-security-policy']).toBeUndefined()
    const refused = await ask('/notes')
    expect(refused.statusCode).toBe(429)
    expectProblem(refused)
    const theirs = await ask('/theirs')
    expect([theirs.statusCode, theirs.headers['ratelimit'], theirs.headers['x-frame-options']]).toEqual([200, undefined, undefined])
  })
})

describe('a server that cannot keep up', () => {
  test('refuses with 503 and Retry-After, and says that it is alive', async () => {
    const app = await serve({ pressure: { rssBytes: 1 } })
    // The process is measured once a second, by a timer: requests that are injected would never let it run.
    while ((await fetch(`${app.listeningOrigin}/notes`)).status === 200);
    const refused = await app.inject({ url: '/notes' })
    expect(refused.json()).toMatchObject({ status: 503, code: 'server_busy' })
    expect(refused.headers['retry-after']).toBe('2')
    expectProblem(refused)
    expect((await app.inject({ url: '/health' })).statusCode).toBe(200)
  })

  test('has both refusals in its document', async () => {
    const codesOf = async (options: Partial<CreateServerOptions>): Promise<string[]> => {
      const document = (await (await serve(options)).inject({ url: '/openapi.json' })).json()
      const { responses } = document.paths['/notes'].get
      return ['429', '503'].flatMap((status) => Object.keys(responses[status]?.content['application/problem+json'].examples ?? {}))
    }
    expect(await codesOf({ rateLimit: true })).toEqual(['too_many_requests', 'storage_busy', 'storage_unavailable', 'server_busy'])
    expect(await codesOf({ pressure: false })).toEqual(['storage_busy', 'storage_unavailable'])
  })
})

describe('a slow client', () => {
  test('that does not end its headers is cut off, and delays nobody', async () => {
    const app = await serve({ headersTimeout: 100 })
    const socket = connect(portOf(app), '127.0.0.1')
    socket.write('GET /notes HTTP/1.1\r\nhost: localhost\r\nx-slow: ')
    expect((await fetch(`${app.listeningOrigin}/notes`)).status).toBe(200)
    const answer = await text(socket)
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    expect(answer).toContain('The request did not arrive in time.')
  })

  test('that was refused before the end of its body gets no second answer when it leaves', async () => {
    const app = await serve({})
    const socket = connect(portOf(app), '127.0.0.1')
    socket.end('POST /db/import HTTP/1.1\r\nhost: elsewhere\r\nx-user: ada\r\ncontent-length: 50\r\n\r\nid,')
    const answer = await text(socket)
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 403'])
  })

  test('that takes nothing of a long answer is cut off, and one that reads gets all of it', async () => {
    const app = await serve({ answerTimeout: 200, pressure: false })
    await app.notes.insertMany(Array.from({ length: 60 }, () => ({ text: 'x'.repeat(500_000) })))
    const connected = once(app.server, 'connection') as Promise<[Socket]>
    const reader = connect(portOf(app), '127.0.0.1').pause()
    const [theirs] = await connected
    const closed = once(theirs, 'close')
    reader.write('GET /notes?limit=100 HTTP/1.1\r\nhost: localhost\r\n\r\n')
    const whole = await fetch(`${app.listeningOrigin}/notes?limit=100`)
    expect(((await whole.json()) as unknown[]).length).toBe(60)
    await closed
    reader.destroy()
    expect((await fetch(`${app.listeningOrigin}/notes?limit=1`)).status).toBe(200)
  })

  test('that is one connection too many is turned away', async () => {
    const app = await serve({ maxConnections: 1 })
    const first = connect(portOf(app), '127.0.0.1')
    await once(first, 'connect')
    const second = connect(portOf(app), '127.0.0.1')
    expect(await text(second)).toBe('')
    first.destroy()
  })
})
