import { describeEngines } from '@strongroom/testkit'
import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { crudRouter } from '../src/index.ts'
import { ada, addUser, closeAfterTest, startServer } from './support.ts'

const headers = { 'x-user': 'tester', 'content-type': 'application/json' }

describeEngines("responses: 'envelope'", (engine) => {
  const start = () => startServer(engine, { responses: 'envelope' })

  test('a page has its records as data, and its place as pagination', async () => {
    const server = await start()
    for (const name of ['a', 'b', 'c']) await addUser(server, { name, email: `${name}@example.com` })
    const first = await server.app.inject('/users?limit=2&fields=name&sort=name')
    expect(first.json()).toEqual({
      success: true,
      message: 'Records found',
      data: [{ name: 'a' }, { name: 'b' }],
      pagination: { total: 3, limit: 2, offset: 0, next: expect.any(String), previous: null },
    })
    expect(first.headers['x-total-count']).toBe('3')
    const { next } = first.json().pagination
    const second = await server.app.inject(`/users?limit=2&fields=name&sort=name&count=none&after=${next}`)
    expect(second.json()).toMatchObject({
      data: [{ name: 'c' }],
      pagination: { total: null, limit: 2, offset: null, next: null, previous: expect.any(String) },
    })
  })

  test('every write has what a bare server answers as data', async () => {
    const { app } = await start()
    const created = await app.inject({ method: 'POST', url: '/users', headers, payload: ada })
    expect(created.statusCode).toBe(201)
    expect(created.headers['etag']).toBeDefined()
    expect(created.json()).toMatchObject({ success: true, message: 'Created', data: { id: 1, name: 'Ada' }, pagination: null })
    const batch = { operations: [{ method: 'patch', component: 'users', id: 1, body: { age: 3 } }] }
    const answers = [
      await app.inject({ method: 'PUT', url: '/users/1', headers, payload: { age: 1 } }),
      await app.inject({ method: 'PATCH', url: '/users/1', headers, payload: { age: 2 } }),
      await app.inject({ method: 'PATCH', url: '/users?age=2&at_most=1', headers, payload: { age: 3 } }),
      await app.inject({ method: 'POST', url: '/batch', headers, payload: batch }),
      await app.inject({ method: 'DELETE', url: '/users/1', headers: { 'x-user': 'tester' } }),
      await app.inject({ method: 'POST', url: '/users/1/restore', headers: { 'x-user': 'tester' } }),
      await app.inject({ method: 'DELETE', url: '/users?age=3&at_most=1', headers: { 'x-user': 'tester' } }),
    ].map((answer) => answer.json())
    expect(answers.map(({ success, message, pagination }) => [success, message, pagination])).toEqual(
      ['Saved', 'Updated', 'Updated', 'All operations done', 'Deleted', 'Restored', 'Deleted'].map((message) => [true, message, null]),
    )
    expect(answers.map(({ data }) => data)).toMatchObject([
      { age: 1 },
      { age: 2 },
      [{ age: 3 }],
      { results: [{ status: 200, etag: expect.stringMatching(/^"/) }] },
      { status: 'deleted', id: 1 },
      { status: 'ok', restored: true },
      { status: 'deleted', count: 1 },
    ])
  })

  test('reads of records, groups, the log and the health have an envelope', async () => {
    const server = await start()
    await addUser(server)
    const urls = ['/users/1', '/users/aggregate', '/db/audit', '/db/health', '/health', '/ready']
    const answers = await Promise.all(urls.map(async (url) => (await server.app.inject(url)).json()))
    for (const answer of answers) expect(answer).toMatchObject({ success: true, message: expect.any(String) })
    expect(answers[1].data).toEqual([{ count: 1 }])
    expect(answers[2].pagination).toEqual({ total: null, limit: 100, offset: 0, next: null, previous: null })
  })

  test('errors have message, status code and details', async () => {
    const { app } = await start()
    const response = await app.inject({
      method: 'POST',
      url: '/users',
      headers: { ...headers, 'x-request-id': 'r-1' },
      payload: { name: 'Ada' },
    })
    expect(response.statusCode).toBe(422)
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(response.json()).toEqual({
      success: false,
      message: 'email: is required',
      status_code: 422,
      details: {
        title: 'Validation failed',
        instance: '/users',
        code: 'validation_failed',
        request_id: 'r-1',
        errors: [{ path: 'email', message: 'is required' }],
      },
    })
    const batch = { operations: [{ method: 'delete', component: 'users', id: 9 }] }
    const failed = await app.inject({ method: 'POST', url: '/batch', headers, payload: batch })
    expect(failed.json()).toMatchObject({ success: false, status_code: 404, details: { code: 'not_found', operation: 0 } })
  })

  test('a retried write is answered with the same envelope', async () => {
    const { app } = await start()
    const request = { method: 'POST' as const, url: '/users', headers: { ...headers, 'idempotency-key': 'once' }, payload: ada }
    const [first, second] = [await app.inject(request), await app.inject(request)]
    expect(second.headers['idempotent-replayed']).toBe('true')
    expect(second.json()).toEqual(first.json())
    expect(second.json()).toMatchObject({ success: true, message: 'Created', data: { name: 'Ada' } })
  })

  test('a bare server and the host keep their own style', async () => {
    const host = Fastify()
    host.get('/own', async () => ({ mine: true }))
    const server = await startServer(engine, {}, host)
    await server.app.register(crudRouter(server.users, { responses: 'envelope' }), { prefix: '/people' })
    await addUser(server)
    expect((await server.app.inject('/users/1')).json()).toMatchObject({ id: 1 })
    expect((await server.app.inject('/people/1')).json()).toMatchObject({ success: true, data: { id: 1 } })
    expect((await server.app.inject('/own')).json()).toEqual({ mine: true })
  })
})

test('a style that there is not is refused', () => {
  const app = closeAfterTest(Fastify())
  expect(app.hasDecorator('storage')).toBe(false)
  expect(() => crudRouter({} as never, { responses: 'xml' as never })).toThrow()
})
