import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { ada, startServer, type TestServer } from './support.ts'

const json = { 'content-type': 'application/json', 'x-user': 'tester', 'x-request-id': 'batch-1' }

describeEngines('POST /batch', (engine) => {
  const batch = ({ app }: TestServer, operations: unknown, query = '', headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: `/batch${query}`, headers: { ...json, ...headers }, payload: { operations } })

  test('runs operations of several components in one transaction, with references to earlier results', async () => {
    const server = await startServer(engine)
    const response = await batch(server, [
      { method: 'create', component: 'users', body: ada },
      { method: 'create', component: 'products', body: { name: '$0.name', owner: '$0.id' } },
      { method: 'patch', component: 'users', id: '$0.id', body: { age: 36 } },
      { method: 'save', component: 'tags', id: 'red', body: { label: '$$0.id' } },
      { method: 'delete', component: 'products', id: '$1.id' },
      { method: 'delete', component: 'users', id: 1 },
      { method: 'restore', component: 'users', id: 1 },
    ])
    expect(response.statusCode, response.body).toBe(200)
    const { results } = response.json()
    expect(results.map((result: { status: number }) => result.status)).toEqual([201, 201, 200, 201, 200, 200, 200])
    expect(results[1].record).toMatchObject({ name: 'Ada', owner: 1 })
    expect(results[3].record).toMatchObject({ id: 'red', label: '$0.id' })
    expect(results[6]).toEqual({ status: 200, restored: true })
    const entries = await server.storage.audit.find({ request_id: 'batch-1' })
    expect(entries).toHaveLength(7)
    expect(new Set(entries.map((entry) => entry.transaction_id)).size).toBe(1)
  })

  test('each record has its ETag as the operation left it, but one that is gone; a dry run has none', async () => {
    const server = await startServer(engine)
    const operations = [
      { method: 'create', component: 'users', body: ada },
      { method: 'patch', component: 'users', id: '$0.id', body: { age: 36 } },
      { method: 'save', component: 'tags', id: 'red', body: {} },
      { method: 'delete', component: 'users', id: '$0.id' },
      { method: 'delete', component: 'tags', id: 'red', purge: true },
    ]
    const etagsOf = (response: { json(): { results: { etag?: string }[] } }) => response.json().results.map(({ etag }) => etag)
    expect(etagsOf(await batch(server, operations, '?dry_run=true'))).toEqual(operations.map(() => undefined))
    const response = await batch(server, operations)
    const etags = etagsOf(response)
    expect(etags).toEqual([...Array.from({ length: 4 }, () => expect.stringMatching(/^"[\w-]{16}"$/)), undefined])
    expect(new Set(etags).size).toBe(5)
    const { id } = response.json().results[0].record
    const restored = await batch(server, [{ method: 'restore', component: 'users', id, if_match: etags[3] }])
    expect(restored.json()).toEqual({ results: [{ status: 200, restored: true }] })
  })

  test('a failing operation undoes all, and says which it was and why', async () => {
    const server = await startServer(engine)
    const response = await batch(server, [
      { method: 'create', component: 'users', body: ada },
      { method: 'create', component: 'users', body: { ...ada, name: '' } },
    ])
    expect(response.statusCode).toBe(422)
    expect(response.json()).toMatchObject({ code: 'validation_failed', operation: 1, errors: [{ path: 'name' }] })
    expect(await server.users.count()).toBe(0)
    expect(await server.storage.audit.count()).toBe(0)
  })

  const refused: [title: string, operation: unknown, status: number, code: string][] = [
    ['an unknown method', { method: 'drop', component: 'users' }, 422, 'validation_failed'],
    ['an unknown component', { method: 'create', component: 'db', body: {} }, 422, 'validation_failed'],
    ['an unknown member', { method: 'create', component: 'users', body: ada, table: 'x' }, 422, 'validation_failed'],
    ['no id', { method: 'patch', component: 'users', body: {} }, 422, 'validation_failed'],
    ['a body where none is taken', { method: 'delete', component: 'users', id: 1, body: {} }, 422, 'validation_failed'],
    ['a record that is not there', { method: 'patch', component: 'users', id: 77, body: {} }, 404, 'not_found'],
    ['a reference to a later operation', { method: 'patch', component: 'users', id: '$5.id', body: {} }, 422, 'validation_failed'],
    ['a reference to a secret', { method: 'create', component: 'tags', body: { id: '$0.password_hash' } }, 422, 'validation_failed'],
    [
      'a stale ETag',
      { method: 'patch', component: 'users', id: '$0.id', body: { age: 1 }, if_match: '"stale"' },
      412,
      'precondition_failed',
    ],
    ['a unique field that is taken', { method: 'create', component: 'users', body: ada }, 409, 'unique_conflict'],
    ['a list as an id', { method: 'delete', component: 'users', id: [1] }, 422, 'validation_failed'],
    ['a truth value as an id', { method: 'save', component: 'tags', id: true, body: { label: 'x' } }, 422, 'validation_failed'],
    [
      'an ETag of a record that is yet to be made',
      { method: 'create', component: 'users', body: ada, if_match: '"x"' },
      422,
      'validation_failed',
    ],
    ['no object', 'create', 422, 'validation_failed'],
  ]
  test.each(refused)('refuses %s', async (_title, operation, status, code) => {
    const server = await startServer(engine)
    const response = await batch(server, [{ method: 'create', component: 'users', body: { ...ada, password_hash: 'canary' } }, operation])
    expect([response.statusCode, response.json().code, response.json().operation], response.body).toEqual([status, code, 1])
    expect(response.body).not.toContain('canary')
    expect(await server.users.count()).toBe(0)
  })

  test('takes at most 100 operations, and only those', async () => {
    const server = await startServer(engine)
    expect(
      (
        await batch(
          server,
          Array.from({ length: 101 }, () => ({})),
        )
      ).statusCode,
    ).toBe(422)
    expect((await batch(server, 'all')).statusCode).toBe(422)
    expect((await batch(server, [])).json()).toEqual({ results: [] })
  })

  test('a dry run answers what would have been and leaves nothing', async () => {
    const server = await startServer(engine)
    const response = await batch(
      server,
      [
        { method: 'create', component: 'users', body: ada },
        { method: 'create', component: 'products', body: { name: 'x', owner: '$0.id' } },
      ],
      '?dry_run=true',
    )
    expect(response.json().results[1].record).toMatchObject({ owner: 1 })
    expect([await server.users.count(), await server.storage.audit.count()]).toEqual([0, 0])
    expect(server.hooks).not.toContain('afterCommit')
  })

  test('takes an Idempotency-Key and an X-User like every write', async () => {
    const server = await startServer(engine)
    const operations = [{ method: 'create', component: 'users', body: ada }]
    const first = await batch(server, operations, '', { 'idempotency-key': 'k' })
    const again = await batch(server, operations, '', { 'idempotency-key': 'k' })
    expect(again.body).toBe(first.body)
    expect(await server.users.count()).toBe(1)
    const nobody = await server.app.inject({ method: 'POST', url: '/batch', payload: { operations } })
    expect([nobody.statusCode, nobody.json().code]).toEqual([400, 'missing_actor'])
  })
})
