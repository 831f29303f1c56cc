import { describeEngines, type TestEngine } from '@strongroom/testkit'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { expect, test } from 'vitest'
import { ada, expectProblem, startServer } from './support.ts'

/** The clock's time, once it has gone on: what is written before and after has other times then. */
async function instant(): Promise<string> {
  const time = new Date()
  while (Date.now() <= time.getTime()) await new Promise((resolve) => setImmediate(resolve))
  const later = new Date()
  while (Date.now() <= later.getTime()) await new Promise((resolve) => setImmediate(resolve))
  return later.toISOString()
}

/** A server whose user 1 was made, renamed and deleted, with the instants between. */
async function past(engine: TestEngine, responses: 'bare' | 'envelope' = 'bare') {
  const server = await startServer(engine, { responses })
  const ask = async (method: InjectOptions['method'], url: string, payload?: object, headers = {}): Promise<LightMyRequestResponse> =>
    server.app.inject({ method: method ?? 'GET', url, headers: { 'x-user': 'tester', ...headers }, ...(payload && { payload }) })
  const empty = await instant()
  await ask('POST', '/users', { ...ada, age: 36, password_hash: 'canary-secret' }, { 'x-request-id': 'made' })
  await ask('POST', '/users', { name: 'Bob', email: 'bob@example.com', age: 20 })
  const made = await instant()
  await ask('PATCH', '/users/1', { name: 'Ada L.', age: 37 })
  const changed = await instant()
  await ask('DELETE', '/users/1')
  return { ...server, ask, empty, made, changed }
}

describeEngines('the past over HTTP', (engine) => {
  test('a record is answered as it was, without a version and without its secrets', async () => {
    const { ask, empty, made, changed } = await past(engine)
    const then = await ask('GET', `/users/1?at=${made}`, undefined, { 'if-none-match': '*' })
    expect(then.statusCode, then.body).toBe(200)
    expect(then.json()).toMatchObject({ id: 1, name: 'Ada', age: 36, deleted_at: null })
    expect(then.headers['etag']).toBeUndefined()
    expect(then.json()).not.toHaveProperty('password_hash')
    expect((await ask('GET', `/users/1?at=${changed}&fields=name`)).json()).toEqual({ name: 'Ada L.' })
    expectProblem(await ask('GET', `/users/1?at=${empty}`))
    for (const [url, status] of [
      [`/users/1?at=${empty}`, 404],
      ['/users/1', 404],
      ['/users/1?at=2999-01-01T00:00:00Z', 400],
      ['/users/1?at=then', 400],
      [`/users/1?at=${made}&include=products`, 400],
    ] as const)
      expect((await ask('GET', url)).statusCode, url).toBe(status)
  })

  test('a list is what it was: filtered, sorted, counted, and in pages that links lead through', async () => {
    const { ask, made, changed } = await past(engine)
    const names = async (query: string): Promise<[string[], unknown]> => {
      const answer = await ask('GET', `/users?${query}`)
      expect(answer.statusCode, answer.body).toBe(200)
      return [(answer.json() as { name: string }[]).map(({ name }) => name), answer.headers['x-total-count']]
    }
    expect(await names('')).toEqual([['Bob'], '1'])
    expect(await names(`at=${made}&sort=-age`)).toEqual([['Ada', 'Bob'], '2'])
    expect(await names(`at=${changed}&age[gte]=37`)).toEqual([['Ada L.'], '1'])
    expect(await names(`at=${made}&age[gte]=37`)).toEqual([[], '0'])
    // The plus sign of an offset may arrive as a space.
    expect(await names(`at=${made.replace('Z', '+00:00')}&count=none`)).toEqual([['Ada', 'Bob'], undefined])
    const first = await ask('GET', `/users?at=${made}&limit=1&sort=name`)
    const next = /<([^>]+)>; rel="next"/.exec(String(first.headers['link']))?.[1] ?? ''
    expect(next).toContain(`at=${made}`)
    expect((await ask('GET', next)).json()).toMatchObject([{ name: 'Bob' }])
  })

  test.each(['bare', 'envelope'] as const)('the history of a record, in %s style', async (responses) => {
    const { ask } = await past(engine, responses)
    const answer = await ask('GET', '/users/1/history?limit=2')
    const body = answer.json() as { data: unknown; pagination: { next: string } }
    const entries = responses === 'bare' ? body : body.data
    expect(entries).toMatchObject([{ operation: 'soft_delete' }, { operation: 'update', before: { age: 36 }, after: { age: 37 } }])
    const link = /<([^>]+)>; rel="next"/.exec(String(answer.headers['link']))?.[1] ?? ''
    const rest = await ask('GET', link)
    expect(rest.body).toContain('"request_id":"made"')
    expect(rest.headers['link']).not.toContain('rel="next"')
    if (responses === 'envelope') expect(link).toContain(body.pagination.next)
    expect(`${answer.body}${rest.body}`).not.toContain('canary-secret')
    for (const [url, status] of [
      ['/users/9/history', 404],
      ['/users/x/history', 404],
      ['/users/1/history?limit=1001', 400],
      ['/users/1/history?offset=1&after=x', 400],
      ['/users/1/history?colour=red', 400],
    ] as const)
      expect((await ask('GET', url)).statusCode, url).toBe(status)
    expect((await ask('GET', '/users/1/history/?limit=1&offset=2')).statusCode).toBe(200)
  })

  test('a diff has both records and the fields that differ', async () => {
    const { ask, empty, made, changed } = await past(engine)
    const diff = (await ask('GET', `/users/1/diff?from=${made}&to=${changed}`)).json() as { changes: { field: string }[] }
    expect(diff).toMatchObject({ from: { name: 'Ada' }, to: { name: 'Ada L.' } })
    expect(diff.changes.filter(({ field }) => !field.startsWith('updated'))).toEqual([
      { field: 'name', from: 'Ada', to: 'Ada L.' },
      { field: 'age', from: 36, to: 37 },
    ])
    expect(JSON.stringify(diff)).not.toContain('password_hash')
    expect((await ask('GET', `/users/1/diff?from=${empty}&to=${made}`)).json()).toMatchObject({ from: null, to: { age: 36 } })
    expect((await ask('GET', `/users/1/diff?from=${changed}`)).json()).toMatchObject({ from: { deleted_at: null } })
    for (const [url, status] of [
      ['/users/1/diff', 400],
      [`/users/9/diff?from=${made}`, 404],
      ['/users/1/diff?from=2999-01-01T00:00:00Z', 400],
    ] as const)
      expect((await ask('GET', url)).statusCode, url).toBe(status)
  })

  test('a record goes back to an instant or to an entry, by a write like any other', async () => {
    const { ask, empty, made, storage, users } = await past(engine)
    const rehearsed = await ask('POST', '/users/1/revert?dry_run=true', { to: made })
    expect(rehearsed.json()).toMatchObject({ name: 'Ada', deleted_at: null })
    expect(rehearsed.headers['etag']).toBeUndefined()
    expect((await ask('GET', '/users/1')).statusCode).toBe(404)
    const key = { 'idempotency-key': 'back' }
    const reverted = await ask('POST', '/users/1/revert', { to: made }, key)
    expect(reverted.statusCode, reverted.body).toBe(200)
    expect(reverted.json()).toMatchObject({ name: 'Ada', age: 36, deleted_at: null, updated_by: 'tester' })
    expect((await ask('GET', '/users/1')).headers['etag']).toBe(reverted.headers['etag'])
    expect((await ask('POST', '/users/1/revert', { to: made }, key)).headers['idempotent-replayed']).toBe('true')
    const entries = await storage.audit.find({ component: 'users', record_id: 1 })
    expect(entries.map(({ operation }) => operation)).toEqual(['restore', 'soft_delete', 'update', 'create'])
    const update = entries.find(({ operation }) => operation === 'update')
    expect((await ask('POST', '/users/1/revert', { to: update?.id })).json()).toMatchObject({ name: 'Ada L.', age: 37 })
    // Secrets stay: the log does not have them.
    expect((await users.get(1))?.password_hash).toBe('canary-secret')
    const etag = String((await ask('GET', '/users/1')).headers['etag'])
    expect((await ask('POST', '/users/1/revert', { to: made }, { 'if-match': etag })).statusCode).toBe(200)
    for (const [url, body, status] of [
      ['/users/1/revert', { to: made, colour: 'red' }, 422],
      ['/users/1/revert', {}, 422],
      ['/users/1/revert', { to: 0 }, 422],
      ['/users/1/revert', { to: 1.5 }, 422],
      ['/users/1/revert', { to: 'then' }, 422],
      ['/users/1/revert', [made], 422],
      ['/users/1/revert', { to: '2999-01-01T00:00:00Z' }, 400],
      ['/users/1/revert', { to: 999_999 }, 404],
      ['/users/9/revert', { to: made }, 404],
      ['/users/1/revert', { to: empty }, 409],
    ] as const)
      expect((await ask('POST', url, body)).statusCode, JSON.stringify(body)).toBe(status)
    const stale = await ask('POST', '/users/1/revert', { to: made }, { 'if-match': etag })
    expect(stale.statusCode).toBe(412)
  })

  test('what retention has removed is gone: 410, with a sentence', async () => {
    const { ask, storage, made } = await past(engine)
    // A time that is waited for is sealed.
    await ask('GET', `/users?at=${new Date().toISOString()}`)
    const [last] = await storage.audit.find({ limit: 1 })
    const below = { retained_below: (last?.position ?? 0) + 1 }
    await storage.transaction(async ({ kysely }) => kysely.updateTable('strongroom_audit_head').set(below).execute(), { unaudited: true })
    for (const url of [`/users?at=${made}`, `/users/1?at=${made}`, `/users/1/diff?from=${made}`]) {
      const answer = await ask('GET', url)
      expect(answer.statusCode, answer.body).toBe(410)
      expectProblem(answer)
    }
    expect((await ask('POST', '/users/1/revert', { to: made })).json()).toMatchObject({ status: 410, code: 'gone' })
  })

  test('what a request did is undone by an operator, rehearsed first, and the undoing is undone', async () => {
    const { ask, users } = await past(engine)
    const headers = { 'x-request-id': 'bad' }
    await ask('PATCH', '/users?age=20&at_most=5', { role: 'admin' }, headers)
    await ask('POST', '/users', { name: 'Eve', email: 'eve@example.com' }, headers)
    const rehearsed = await ask('POST', '/db/revert?dry_run=true', { request_id: 'bad' })
    expect(rehearsed.json()).toMatchObject({ applied: false, dry_run: true, components: [{ updated: 1, deleted: 1 }], conflicts: [] })
    const undone = await ask('POST', '/db/revert', { request_id: 'bad' }, { 'x-request-id': 'undo', 'x-user': 'olga' })
    expect(undone.json()).toMatchObject({ applied: true, request_id: 'undo', components: [{ component: 'users', updated: 1, deleted: 1 }] })
    expect(undone.headers).toMatchObject({ 'cache-control': 'no-store' })
    expect(await users.find({ fields: ['name', 'role'] })).toEqual([{ name: 'Bob', role: 'operator' }])
    expect((await ask('GET', '/db/audit?request_id=undo')).json()).toMatchObject([{ actor: 'olga' }, { actor: 'olga' }])
    expect((await ask('POST', '/db/revert', { request_id: 'undo' })).json()).toMatchObject({ components: [{ updated: 1, restored: 1 }] })
    expect(await users.find({ fields: ['name', 'role'] })).toEqual([
      { name: 'Bob', role: 'admin' },
      { name: 'Eve', role: 'operator' },
    ])
  })

  test('what stands against an undoing is told, record by record', async () => {
    const { ask } = await past(engine)
    await ask('PATCH', '/users/2', { age: 21 }, { 'x-request-id': 'first' })
    await ask('PATCH', '/users/2', { age: 22 })
    const refused = await ask('POST', '/db/revert', { request_id: 'first' })
    expectProblem(refused)
    expect(refused.json()).toMatchObject({ status: 409, code: 'state_conflict', error_count: 1 })
    expect(refused.json()).toHaveProperty('errors', [{ path: 'users/2', message: expect.stringMatching(/changed later by tester/) }])
    const since = '2026-01-01T00:00:00Z'
    for (const body of [
      {},
      [],
      { actor: 'a' },
      { actor: '', since },
      { request_id: 1 },
      { batch: 'a', since: 'then' },
      { import: 'a', at_most: 0 },
      { batch: 'a', x: 1 },
    ])
      expect((await ask('POST', '/db/revert', body)).statusCode, JSON.stringify(body)).toBe(422)
    expect((await ask('POST', '/db/revert', { import: 'a' })).statusCode).toBe(404)
    expect((await ask('POST', '/db/revert', { request_id: 'made' }, { via: 'somebody' })).statusCode).toBe(403)
  })
})
