import { once } from 'node:events'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { ModelAccessor, openStorage } from '@strongroom/core'
import { describeEngines, runScript, type TestEngine } from '@strongroom/testkit'
import type { FastifyInstance } from 'fastify'
import { expect, test } from 'vitest'
import { type CreateServerOptions, createServer } from '../src/index.ts'
import { ada, closeAfterTest, makeAccessors, type TestServer, User } from './support.ts'

async function serve(
  engine: TestEngine,
  options: Partial<CreateServerOptions> = {},
): Promise<{ app: FastifyInstance; url: string } & Pick<TestServer, 'users'>> {
  const { users, products, tags } = makeAccessors()
  const databaseUrl = await engine.freshUrl()
  const app = await createServer({ accessors: [users, products, tags], databaseUrl, port: 0, logger: false, ...options })
  closeAfterTest(app)
  return { app, url: app.listeningOrigin, users }
}

const headers = { 'x-user': 'tester', 'content-type': 'application/json' }

describeEngines('a server of its own', (engine) => {
  test('listens on this machine and serves', async () => {
    const { url } = await serve(engine)
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const made = await fetch(`${url}/users`, { method: 'POST', headers, body: JSON.stringify(ada) })
    expect(made.status).toBe(201)
    expect(await (await fetch(`${url}/users/`)).json()).toMatchObject([{ id: 1, name: 'Ada' }])
    expect((await fetch(`${url}/db/audit`)).status).toBe(200)
  })

  test('does what there is to do before anybody is listened to, with its storage', async () => {
    const seen: unknown[] = []
    const { users, products, tags } = makeAccessors()
    const { url } = await serve(engine, {
      accessors: [users, products, tags],
      beforeListen: async (app) => {
        seen.push(app.server.listening, app.storage.accessors.length)
        await users.insert({ name: 'First', email: 'first@example.com' })
      },
    })
    expect(seen).toEqual([false, 3])
    expect(await (await fetch(`${url}/users`)).json()).toMatchObject([{ name: 'First' }])
  })

  test('does not start where that fails, and leaves nothing open', async () => {
    let server: FastifyInstance | undefined
    const failing = serve(engine, {
      beforeListen: (app) => {
        server = app
        throw new Error('there is no sample')
      },
    })
    await expect(failing).rejects.toThrow('there is no sample')
    expect(server?.server.listening).toBe(false)
    await expect(server?.storage.ping()).rejects.toMatchObject({ code: 'storage_closed' })
    await expect(serve(engine, { beforeListen: true as never })).rejects.toMatchObject({ code: 'invalid_options' })
  })

  test('answers problems for what is not there, with the methods that are', async () => {
    const { app } = await serve(engine)
    const cases: [method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, status: number, allow?: string][] = [
      ['GET', '/nowhere', 404],
      ['GET', '/users/1/nothing', 404],
      ['PUT', '/users', 405, 'DELETE, GET, HEAD, PATCH, POST'],
      ['DELETE', '/users', 400],
      ['POST', '/users/1', 405, 'DELETE, GET, HEAD, PATCH, PUT'],
      ['GET', '/users/1/restore/', 405, 'POST'],
      ['GET', '/users/%E0%A4%A', 400],
      ['GET', `/users/${'9'.repeat(5000)}`, 404],
      ['PUT', `/tags/${'x'.repeat(5000)}`, 404],
    ]
    for (const [method, url, status, allow] of cases) {
      const response = await app.inject({ method, url, ...(method === 'PUT' && { headers, payload: {} }) })
      expect(response.statusCode, `${method} ${url}`).toBe(status)
      expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8')
      expect(response.json()).toMatchObject({ status, request_id: response.headers['x-request-id'] })
      expect(response.headers['allow']).toBe(allow)
      if (status === 405) expect(response.json().code).toBe('method_not_allowed')
    }
  })

  test('names the page with its paths to whoever asks for what is not there', async () => {
    const detailOf = async (options: Partial<CreateServerOptions>, url: string) => {
      const { app } = await serve(engine, options)
      return (await app.inject({ url })).json().detail
    }
    expect(await detailOf({}, '/')).toBe('There is nothing at this path. /docs shows what there is.')
    expect(await detailOf({ prefix: '/api', systemRoutes: { docs: '/paths' } }, '/')).toBe(
      'There is nothing at this path. /api/paths shows what there is.',
    )
    expect(await detailOf({ systemRoutes: { docs: false } }, '/')).toBe('There is nothing at this path.')
  })

  test('takes text ids of every length that there is', async () => {
    const { app } = await serve(engine)
    for (const id of ['x'.repeat(255), '😀'.repeat(255)]) {
      const made = await app.inject({ method: 'PUT', url: `/tags/${encodeURIComponent(id)}`, headers, payload: {} })
      expect(made.statusCode, made.body).toBe(201)
      expect((await app.inject({ url: `/tags/${encodeURIComponent(id)}` })).json()).toMatchObject({ id })
    }
  })

  test('answers problems for what is no request that it can read', async () => {
    const { app } = await serve(engine)
    const { port } = app.server.address() as AddressInfo
    const cases: [title: string, head: string, status: number][] = [
      ['no HTTP', 'what?\r\n\r\n', 400],
      ['NUL in a header', 'GET /users HTTP/1.1\r\nhost: localhost\r\nx-user: a\0b\r\n\r\n', 400],
      ['headers without end', `GET /users HTTP/1.1\r\nhost: localhost\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ]
    for (const [title, head, status] of cases) {
      const socket = connect(port, '127.0.0.1')
      socket.write(head)
      const [top = '', body = ''] = (await text(socket)).split('\r\n\r\n')
      expect(top, title).toContain(`HTTP/1.1 ${status} `)
      expect(top.toLowerCase()).toContain('content-type: application/problem+json; charset=utf-8')
      const problem: unknown = JSON.parse(body)
      expect(problem).toMatchObject({
        status,
        code: 'bad_request',
        detail: expect.any(String),
        request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      })
    }
  })

  test('finishes the requests that are running before it closes the storage', async () => {
    const { app, url, users } = await serve(engine)
    const started = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    users.beforeInsert(async () => {
      started.resolve()
      await release.promise
    })
    const answer = fetch(`${url}/users`, { method: 'POST', headers, body: JSON.stringify(ada) })
    await started.promise
    const closed = app.close()
    release.resolve()
    expect((await answer).status).toBe(201)
    await closed
    await expect(users.count()).rejects.toThrow('belongs to no open storage')
    await expect(fetch(url)).rejects.toThrow()
  })

  test('a body that never ends is cut off, and delays nobody', async () => {
    const { app, url } = await serve(engine, { requestTimeout: 200 })
    const { port } = app.server.address() as AddressInfo
    const socket = connect(port, '127.0.0.1')
    const closed = once(socket, 'close')
    let received = ''
    socket.setEncoding('utf8').on('data', (chunk) => {
      received += String(chunk)
    })
    socket.write(
      'POST /users HTTP/1.1\r\nhost: localhost\r\nx-user: slow\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{"name"',
    )
    expect((await fetch(`${url}/users`)).status).toBe(200)
    await closed
    expect(received).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(await (await fetch(`${url}/users`)).json()).toEqual([])
  })

  test('a client that goes away in the middle of its body leaves nothing', async () => {
    const { app, url } = await serve(engine)
    const { port } = app.server.address() as AddressInfo
    const socket = connect(port, '127.0.0.1')
    const closed = once(socket, 'close')
    socket.write(
      'POST /users HTTP/1.1\r\nhost: localhost\r\nx-user: gone\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{"name"',
      () => socket.destroy(),
    )
    await closed
    expect(await (await fetch(`${url}/users`)).json()).toEqual([])
    await app.close()
  })

  test('a port that is taken fails, and lets go of the storage', async () => {
    const other = createTcpServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const users = new ModelAccessor(User, 'users')
    const databaseUrl = await engine.freshUrl()
    await expect(createServer({ accessors: [users], databaseUrl, port, logger: false })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    const storage = await openStorage({ url: databaseUrl, accessors: [users] })
    expect(await users.count()).toBe(0)
    await storage.close()
    other.close()
  })

  test('SIGTERM lets the running request finish, keeps its record, and ends with 0', async () => {
    const url = await engine.freshUrl()
    const server = runScript(fileURLToPath(new URL('./fixtures/server.ts', import.meta.url)), {
      env: { DATABASE_URL: url, PORT: '0', HOST: undefined, NODE_ENV: 'production' },
    })
    const [, origin = ''] = await server.line(/^listening at (.*)$/)
    const answer = fetch(`${origin}/notes`, { method: 'POST', headers, body: JSON.stringify({ text: 'slow' }) })
    await server.line(/^in flight$/)
    server.process.kill('SIGTERM')
    await server.line(/^asked to stop$/)
    server.process.stdin?.write('go on\n')
    expect((await answer).status, server.output()).toBe(201)
    expect(await server.ended, server.output()).toEqual({ code: 0, signal: null })
    const again = runScript(fileURLToPath(new URL('./fixtures/server.ts', import.meta.url)), {
      env: { DATABASE_URL: url, PORT: '0', HOST: undefined, NODE_ENV: 'production' },
    })
    const [, second = ''] = await again.line(/^listening at (.*)$/)
    expect(await (await fetch(`${second}/notes`)).json()).toMatchObject([{ text: 'slow', id: 1 }])
    expect(await again.kill('SIGINT')).toEqual({ code: 0, signal: null })
  })
})

test('a database that cannot be opened fails at once with a clear sentence', async () => {
  const users = new ModelAccessor(User, 'users')
  await expect(createServer({ accessors: [users], databaseUrl: 'sqlite:/nowhere/at/all/app.db', port: 0, logger: false })).rejects.toThrow(
    /\/nowhere\/at\/all/,
  )
  await expect(createServer({ accessors: [users], databaseUrl: 'mysql://x', port: 0, logger: false })).rejects.toThrow(
    /of no engine that this library has/,
  )
})
