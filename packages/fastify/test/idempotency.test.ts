import { defineAccess, defineModel, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Fastify from 'fastify'
import { Type } from 'typebox'
import { expect, onTestFinished, test } from 'vitest'
import { bootstrap, trustedHeader } from '../src/index.ts'
import { ada, startServer, type TestServer } from './support.ts'

const json = { 'content-type': 'application/json', 'x-user': 'tester' }

describeEngines('Idempotency-Key', (engine) => {
  const post = ({ app }: TestServer, key: string, payload: object = ada, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: '/users', headers: { ...json, 'idempotency-key': key, ...headers }, payload })

  test('a repeated POST answers what the first one answered, and inserts nothing', async () => {
    const server = await startServer(engine)
    const first = await post(server, 'one')
    const again = await post(server, 'one')
    expect([again.statusCode, again.body, again.headers.location, again.headers.etag]).toEqual([
      201,
      first.body,
      first.headers.location,
      first.headers.etag,
    ])
    expect([first.headers['idempotent-replayed'], again.headers['idempotent-replayed']]).toEqual([undefined, 'true'])
    expect(await server.users.count()).toBe(1)
    expect(await server.storage.audit.count({ component: 'users' })).toBe(1)
  })

  test('fields may have the names of parts of other answers, and the rules are asked for the record all the same', async () => {
    const Paper = defineModel('papers', {
      owner: Type.String(),
      record: Type.Optional(Type.String()),
      status: Type.Optional(Type.String()),
    })
    const papers = new ModelAccessor(Paper, 'papers')
    const app = Fastify()
    onTestFinished(() => app.close())
    await bootstrap(app, {
      accessors: [papers],
      databaseUrl: await engine.freshUrl(),
      access: [defineAccess(Paper, { all: [({ id }) => ({ owner: String(id) })] })],
      auth: trustedHeader(),
    })
    for (const [key, record] of Object.entries({ none: null, some: 'x' })) {
      const send = () =>
        app.inject({ method: 'POST', url: '/papers', headers: { ...json, 'idempotency-key': key }, payload: { owner: 'tester', record } })
      const first = await send()
      const again = await send()
      expect([first.statusCode, again.statusCode, again.body]).toEqual([201, 201, first.body])
      await papers.update(first.json().id, { owner: 'somebody else' }, { access: 'system' })
      expect((await send()).statusCode).toBe(403)
    }
  })

  test('a request that was refused is done when it comes again in order', async () => {
    const server = await startServer(engine)
    expect((await post(server, 'one', { name: 'x' })).statusCode).toBe(422)
    expect((await post(server, 'one', { ...ada })).statusCode).toBe(201)
  })

  test('the same key with another body is 422', async () => {
    const server = await startServer(engine)
    await post(server, 'one')
    const other = await post(server, 'one', { ...ada, name: 'Bob' })
    expect([other.statusCode, other.json().code]).toEqual([422, 'idempotency_mismatch'])
  })

  test('keys of different actors, methods and paths are different', async () => {
    const server = await startServer(engine)
    await post(server, 'one')
    const other = await post(server, 'one', { name: 'Bob', email: 'bob@example.com' }, { 'x-user': 'somebody else' })
    const patch = await server.app.inject({
      method: 'PATCH',
      url: '/users/1',
      headers: { ...json, 'idempotency-key': 'one' },
      payload: { age: 1 },
    })
    expect([other.statusCode, patch.statusCode]).toEqual([201, 200])
  })

  test('every write takes one: PUT, PATCH, DELETE and restore run once', async () => {
    const server = await startServer(engine)
    await post(server, 'one')
    const send = (method: 'PUT' | 'PATCH' | 'DELETE' | 'POST', url: string, payload?: object) =>
      server.app.inject({ method, url, headers: { ...json, 'idempotency-key': `${method} ${url}` }, ...(payload && { payload }) })
    const requests = [
      ['PUT', '/users/1', { age: 1 }],
      ['PATCH', '/users/1', { age: 2 }],
      ['DELETE', '/users/1'],
      ['POST', '/users/1/restore'],
    ] as const
    const first = []
    for (const [method, url, payload] of requests) first.push(await send(method, url, payload))
    const again = []
    for (const [method, url, payload] of requests) again.push(await send(method, url, payload))
    expect(first.map((response) => response.statusCode)).toEqual([200, 200, 200, 200])
    expect(again.map((response) => response.body)).toEqual(first.map((response) => response.body))
    expect((await server.users.get(1))?.age).toBe(2)
    expect(await server.storage.audit.count({ component: 'users' })).toBe(5)
  })

  test('a dry run leaves nothing to repeat', async () => {
    const server = await startServer(engine)
    const headers = { ...json, 'idempotency-key': 'one' }
    await server.app.inject({ method: 'POST', url: '/users?dry_run=true', headers, payload: ada })
    expect((await post(server, 'one')).statusCode).toBe(201)
    expect(await server.users.count()).toBe(1)
  })

  test('of 16 at once one runs, and the others get its answer', async () => {
    const server = await startServer(engine)
    const responses = await Promise.all(Array.from({ length: 16 }, () => post(server, 'one')))
    expect(new Set(responses.map((response) => response.body)).size).toBe(1)
    expect(await server.users.count()).toBe(1)
  })

  test('a flag counts however it is encoded: a dry run leaves nothing, and no dry run is done once', async () => {
    const server = await startServer(engine)
    const headers = { ...json, 'idempotency-key': 'one' }
    const post = (query: string) => server.app.inject({ method: 'POST', url: `/users?${query}`, headers, payload: ada })
    expect((await post('dry%5Frun=true')).statusCode).toBe(201)
    expect((await post('dry%5Frun=true')).headers['idempotent-replayed']).toBeUndefined()
    expect((await post('dry_run=%30')).statusCode).toBe(201)
    expect((await post('dry_run=%30')).headers['idempotent-replayed']).toBe('true')
    expect(await server.users.count()).toBe(1)
  })

  test('a key that is no key is 400, of a dry run too', async () => {
    const server = await startServer(engine)
    const response = await post(server, 'x'.repeat(256))
    expect([response.statusCode, response.json().code]).toEqual([400, 'bad_request'])
    const headers = { ...json, 'idempotency-key': '' }
    const dry = await server.app.inject({ method: 'POST', url: '/users?dry_run=true', headers, payload: ada })
    expect([dry.statusCode, dry.json().code]).toEqual([400, 'bad_request'])
  })

  test('a number that is too large to be read is not the same as null', async () => {
    const { app } = await startServer(engine)
    const post = (body: string) =>
      app.inject({
        method: 'POST',
        url: '/users',
        headers: { 'content-type': 'application/json', 'x-user': 'tester', 'idempotency-key': 'large' },
        payload: body,
      })
    const first = await post('{"name":"Ada","email":"ada@example.com","age":null}')
    expect(first.statusCode).toBe(201)
    const second = await post('{"name":"Ada","email":"ada@example.com","age":1e400}')
    expect(second.json()).toMatchObject({ status: 422, code: 'idempotency_mismatch' })
  })
})
