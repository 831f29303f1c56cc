import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import jwt from '@fastify/jwt'
import multipart from '@fastify/multipart'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { openStorage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, test } from 'vitest'
import { bootstrap, crudRouter, dbRouter } from '../src/index.ts'
import { ada, closeAfterTest, expectProblem, makeAccessors, startServer } from './support.ts'

const headers = { 'x-user': 'tester' }

/** A log that is kept. */
function keepingLog(): { lines: string[]; logger: object } {
  const lines: string[] = []
  return { lines, logger: { level: 'warn', stream: { write: (line: string) => lines.push(line) } } }
}

/** Everything of an answer but the time and ids. */
function comparable({ statusCode, headers: all, body }: { statusCode: number; headers: object; body: string }): unknown {
  const { date: _date, ...kept } = all as Record<string, unknown>
  return { statusCode, headers: kept, body }
}

/** A host with much of its own, and requests to what is its own. */
async function makeHost(): Promise<FastifyInstance> {
  const host = Fastify({
    genReqId: () => 'host-1',
    routerOptions: { querystringParser: (text) => ({ 'read by the host': text }) },
  })
  await host.register(cors, { origin: 'https://app.example', exposedHeaders: ['X-Host'] })
  await host.register(helmet)
  await host.register(multipart)
  await host.register(jwt, { secret: 'a secret of the host that is long enough' })
  await host.register(swagger, { openapi: { info: { title: 'Host', version: '1' } } })
  await host.register(swaggerUi, { routePrefix: '/documentation' })
  host.setErrorHandler((error: Error, _request, reply) => reply.code(418).send({ host: error.message }))
  host.setNotFoundHandler((_request, reply) => reply.code(404).send({ host: 'nothing here' }))
  host.setReplySerializer((payload) => `host:${JSON.stringify(payload)}`)
  host.setValidatorCompiler(() => () => ({ value: 'validated by the host' }))
  host.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, { 'parsed by the host': body }))
  host.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => done(null, `text ${String(body)}`))
  host.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, `any ${String(body)}`))
  host.get('/health', async () => ({ status: 'the host is well' }))
  host.post('/echo', async (request) => ({ body: request.body, query: request.query, id: request.id }))
  host.post('/validated', { schema: { body: { type: 'object' } } }, async (request) => ({ body: request.body }))
  host.get('/fails', async () => {
    throw new Error('the host fails')
  })
  host.post('/upload', async (request) => ({ fields: (await request.file())?.filename }))
  host.get('/token', async (_request, reply) => reply.jwtSign({ sub: 'ada', iat: 0 }))
  return host
}

const upload = '--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n--b--\r\n'

async function hostAnswers(host: FastifyInstance): Promise<unknown[]> {
  const responses = [
    await host.inject({ url: '/health' }),
    await host.inject({ method: 'POST', url: '/echo?a=1', payload: { a: 1 } }),
    await host.inject({ method: 'POST', url: '/echo', headers: { 'content-type': 'text/plain' }, payload: 'x' }),
    await host.inject({ method: 'POST', url: '/echo', headers: { 'content-type': 'x/y' }, payload: 'x' }),
    await host.inject({ method: 'POST', url: '/validated', payload: { a: 1 } }),
    await host.inject({ url: '/fails' }),
    await host.inject({ url: '/nowhere' }),
    await host.inject({ url: '/token' }),
    await host.inject({ method: 'POST', url: '/upload', headers: { 'content-type': 'multipart/form-data; boundary=b' }, payload: upload }),
    await host.inject({
      method: 'OPTIONS',
      url: '/echo',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    }),
    await host.inject({ url: '/documentation/json' }),
    await host.inject({ url: '/documentation' }),
  ]
  return responses.map(comparable)
}

describeEngines('a guest in somebody else’s server', (engine) => {
  test('the routes of the host answer as before, byte for byte', async () => {
    const alone = closeAfterTest(await makeHost())
    const { app: host } = await startServer(engine, { prefix: '/api' }, await makeHost())
    expect(await hostAnswers(host)).toEqual(await hostAnswers(alone))
    expect(await hostAnswers(host)).toMatchObject([
      { statusCode: 200, body: 'host:{"status":"the host is well"}' },
      { statusCode: 200, body: 'host:{"body":{"parsed by the host":"{\\"a\\":1}"},"query":{"read by the host":"a=1"},"id":"host-1"}' },
      { statusCode: 200 },
      { statusCode: 200 },
      { statusCode: 200, body: 'host:{"body":"validated by the host"}' },
      { statusCode: 418, body: 'host:{"host":"the host fails"}' },
      { statusCode: 404, body: '{"host":"nothing here"}' },
      { statusCode: 200 },
      { statusCode: 200, body: 'host:{"fields":"a.txt"}' },
      { statusCode: 204 },
      { statusCode: 200 },
      { statusCode: 200 },
    ])
  })

  test('our routes answer in such a host as they do alone', async () => {
    const { app: host } = await startServer(engine, { prefix: '/api' }, await makeHost())
    const made = await host.inject({ method: 'POST', url: '/api/users', headers, payload: ada })
    expect(made.statusCode, made.body).toBe(201)
    expect(made.json()).toMatchObject(ada)
    expect(made.headers.location).toBe('/api/users/1')
    expect(made.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    const list = await host.inject({ url: '/api/users?name=Ada&age[is_null]=true' })
    expect(list.json()).toMatchObject([{ id: 1 }])
    const refused = await host.inject({
      method: 'POST',
      url: '/api/users',
      headers: { ...headers, 'content-type': 'text/plain' },
      payload: 'x',
    })
    expect(refused.statusCode).toBe(415)
    expectProblem(refused)
    const form = await host.inject({
      method: 'POST',
      url: '/api/users',
      headers: { ...headers, 'content-type': 'multipart/form-data; boundary=b' },
      payload: upload,
    })
    expect(form.statusCode).toBe(415)
    const missing = await host.inject({ url: '/api/users/7' })
    expect(missing.statusCode).toBe(404)
    expectProblem(missing)
    expect((await host.inject({ url: '/api/health' })).json()).toEqual({ status: 'ok' })
    expect((await host.inject({ url: '/api/docs/' })).statusCode).toBe(200)
    expect((await host.inject({ url: '/api/openapi.json' })).json()).toHaveProperty(['paths', '/api/users/{id}'])
  })

  test('the headers that the host exposes to other origins stay, and ours join them', async () => {
    const { app: host } = await startServer(engine, {}, await makeHost())
    const response = await host.inject({ url: '/users', headers: { origin: 'https://app.example' } })
    expect(response.headers['access-control-allow-origin']).toBe('https://app.example')
    expect(response.headers['access-control-expose-headers']).toBe('X-Host, X-Total-Count, Content-Range, Link, X-Request-Id')
  })

  test('a route that the host already has is kept, with a warning', async () => {
    const { lines, logger } = keepingLog()
    const host = Fastify({ logger })
    host.get('/health', async () => 'host')
    host.get('/users/:name', async () => 'host')
    host.register(async (scope) => {
      scope.get('/docs', async () => 'host')
    })
    const { app } = await startServer(engine, {}, host)
    expect((await app.inject({ url: '/health' })).body).toBe('host')
    expect((await app.inject({ url: '/users/7' })).body).toBe('host')
    expect((await app.inject({ url: '/docs' })).body).toBe('host')
    expect((await app.inject({ method: 'POST', url: '/users', headers, payload: ada })).statusCode).toBe(201)
    for (const place of ['GET /health', 'GET /users/:id', 'GET /docs']) expect(lines.join()).toContain(`already has ${place}.`)
  })

  test('a host that ignores trailing slashes gets each route once', async () => {
    const { app } = await startServer(engine, {}, Fastify({ routerOptions: { ignoreTrailingSlash: true } }))
    for (const url of ['/users', '/users/', '/db/health/', '/docs/', '/health/']) expect((await app.inject({ url })).statusCode).toBe(200)
  })

  test('the log-in of the host guards our routes too, and its refusal is a problem', async () => {
    const host = await makeHost()
    host.addHook('onRequest', async (request) => {
      if (request.url.startsWith('/users')) await request.jwtVerify()
    })
    const { app } = await startServer(engine, { actor: async (request) => (await request.jwtVerify<{ sub: string }>()).sub }, host)
    const refused = await app.inject({ url: '/users' })
    expect(refused.statusCode).toBe(401)
    expectProblem(refused)
    expect(refused.json()).toMatchObject({ code: 'unauthorized' })
    const token = app.jwt.sign({ sub: 'ada' })
    const made = await app.inject({
      method: 'POST',
      url: '/users',
      headers: { authorization: `Bearer ${token}`, 'x-user': 'eve' },
      payload: ada,
    })
    expect(made.json()).toMatchObject({ created_by: 'ada' })
  })

  test('hooks of the host that fail answer their status, and nothing of the server’s inside', async () => {
    const host = Fastify()
    host.addHook('onRequest', async (request) => {
      const status = request.headers['x-fail']
      if (status !== undefined) throw Object.assign(new Error('words of the host'), { statusCode: Number(status) })
    })
    const { app } = await startServer(engine, {}, host)
    const cases: [status: number, answered: number, code: string, detail: RegExp][] = [
      [403, 403, 'forbidden', /^words of the host$/],
      [429, 429, 'too_many_requests', /^words of the host$/],
      [402, 402, 'bad_request', /^words of the host$/],
      [503, 503, 'storage_busy', /Try again later/],
      [500, 500, 'internal_error', /^Something went wrong/],
      [200, 500, 'internal_error', /^Something went wrong/],
    ]
    for (const [status, answered, code, detail] of cases) {
      const response = await app.inject({ url: '/users', headers: { 'x-fail': String(status) } })
      expect(response.statusCode).toBe(answered)
      expect(response.json()).toMatchObject({ status: answered, code, detail: expect.stringMatching(detail) })
      expectProblem(response)
    }
  })

  test('a scope of the host can be bootstrapped, and keeps the storage for itself', async () => {
    const host = closeAfterTest(Fastify())
    const { users } = makeAccessors()
    const databaseUrl = await engine.freshUrl()
    await host.register(
      async (scope) => {
        await bootstrap(scope, { accessors: [users], databaseUrl })
      },
      { prefix: '/inside' },
    )
    expect((await host.inject({ url: '/inside/users' })).statusCode).toBe(200)
    expect(host.hasDecorator('storage')).toBe(false)
  })

  describe('a failure leaves the server untouched', () => {
    test('when the database cannot be opened', async () => {
      const host = closeAfterTest(Fastify())
      host.get('/mine', async () => 'mine')
      const { users } = makeAccessors()
      const routes = host.printRoutes()
      await expect(bootstrap(host, { accessors: [users], databaseUrl: 'sqlite:/nowhere/at/all/app.db' })).rejects.toMatchObject({
        code: 'storage_unavailable',
      })
      expect(host.hasDecorator('storage')).toBe(false)
      expect(host.printRoutes()).toBe(routes)
      await bootstrap(host, { accessors: [users], databaseUrl: await engine.freshUrl() })
      expect((await host.inject({ url: '/mine' })).body).toBe('mine')
      expect((await host.inject({ url: '/users' })).statusCode).toBe(200)
    })

    test('when it has a storage already', async () => {
      const server = await startServer(engine)
      const { users } = makeAccessors()
      await expect(bootstrap(server.app, { accessors: [users], databaseUrl: await engine.freshUrl() })).rejects.toThrow(
        'has an app.storage already',
      )
      expect((await server.app.inject({ url: '/ready' })).statusCode).toBe(200)
    })

    test('when it listens already, and the storage is closed again', async () => {
      const host = closeAfterTest(Fastify())
      await host.ready()
      const { users } = makeAccessors()
      await expect(bootstrap(host, { accessors: [users], databaseUrl: await engine.freshUrl() })).rejects.toThrow()
      await expect(users.count()).rejects.toThrow('belongs to no open storage')
    })
  })

  describe('mounted by hand', () => {
    test('the records answer under a prefix of their own, within their own limit', async () => {
      const host = closeAfterTest(await makeHost())
      const { users } = makeAccessors()
      const storage = await openStorage({ url: await engine.freshUrl(), accessors: [users] })
      await host.register(crudRouter(users, { maxRecords: 1, actor: () => 'by hand' }), { prefix: '/people' })
      const made = await host.inject({ method: 'POST', url: '/people/', payload: ada })
      expect(made.statusCode, made.body).toBe(201)
      expect(made.headers.location).toBe('/people/1')
      expect(made.json()).toMatchObject({ created_by: 'by hand' })
      const full = await host.inject({ method: 'POST', url: '/people', payload: { ...ada, email: 'b@example.com' } })
      expect(full.json()).toMatchObject({ code: 'record_limit' })
      expect((await host.inject({ url: '/people/1/' })).statusCode).toBe(200)
      await storage.close()
    })

    test('the operators answer under a prefix of their own, with limits of their own', async () => {
      const server = await startServer(engine, { enableDbRouter: false })
      expect((await server.app.inject({ url: '/db/health' })).statusCode).toBe(404)
      const host = closeAfterTest(Fastify())
      await host.register(dbRouter({ auditDefaultLimit: 1, auditMaxLimit: 2, storage: server.storage }), { prefix: '/operations' })
      await server.users.insertMany([1, 2, 3].map((index) => ({ name: 'U', email: `u${index}@example.com` })))
      expect((await host.inject({ url: '/operations/audit' })).json()).toHaveLength(1)
      expect((await host.inject({ url: '/operations/audit/?limit=2' })).json()).toHaveLength(2)
      expect((await host.inject({ url: '/operations/audit?limit=3' })).json()).toMatchObject({
        detail: 'limit is a whole number from 1 to 2.',
      })
    })

    test('the operators find app.storage, or say that there is none', async () => {
      const server = await startServer(engine, { enableDbRouter: false })
      const host = closeAfterTest(Fastify())
      host.decorate('storage', server.storage)
      await host.register(dbRouter(), { prefix: '/db' })
      expect((await host.inject({ url: '/db/health' })).statusCode).toBe(200)
      await expect(closeAfterTest(Fastify()).register(dbRouter())).rejects.toThrow('dbRouter finds no app.storage')
    })
  })
})
