import { DateTime, Decimal, defineModel, Int64, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { bootstrap } from '../src/index.ts'
import { ada, closeAfterTest, startServer, type TestServer } from './support.ts'

const json = { 'content-type': 'application/json', 'x-user': 'tester' }

describeEngines('conditional requests', (engine) => {
  const post = async ({ app }: TestServer) => app.inject({ method: 'POST', url: '/users', headers: json, payload: ada })

  test('answers that carry one record carry its strong ETag, and so does reading it again', async () => {
    const server = await startServer(engine)
    const made = await post(server)
    const put = await server.app.inject({ method: 'PUT', url: '/users/1', headers: json, payload: { age: 1 } })
    const patched = await server.app.inject({ method: 'PATCH', url: '/users/1', headers: json, payload: { age: 2 } })
    const read = await server.app.inject({ url: '/users/1' })
    const tags = [made, put, patched].map((response) => response.headers.etag)
    expect(tags.every((tag) => /^"[\w-]{16}"$/.test(String(tag)))).toBe(true)
    expect(new Set(tags).size).toBe(3)
    expect(read.headers.etag).toBe(tags[2])
  })

  test('a projection has no ETag', async () => {
    const server = await startServer(engine)
    await post(server)
    expect((await server.app.inject({ url: '/users/1?fields=name' })).headers.etag).toBeUndefined()
    expect((await server.app.inject({ url: '/users/1?include=products' })).headers.etag).toBeUndefined()
  })

  test('If-None-Match answers 304 without a body while the record is the same', async () => {
    const server = await startServer(engine)
    const { headers } = await post(server)
    const etag = String(headers.etag)
    const same = await server.app.inject({ url: '/users/1', headers: { 'if-none-match': `"other", W/${etag}` } })
    expect([same.statusCode, same.body, same.headers.etag]).toEqual([304, '', etag])
    await server.users.update(1, { age: 9 })
    expect((await server.app.inject({ url: '/users/1', headers: { 'if-none-match': etag } })).statusCode).toBe(200)
  })

  test.each([
    ['PUT', { age: 5 }],
    ['PATCH', { age: 5 }],
    ['DELETE', undefined],
  ] as const)('%s with a stale If-Match is 412 and changes nothing; with the current one it goes through', async (method, payload) => {
    const server = await startServer(engine)
    const stale = String((await post(server)).headers.etag)
    const current = String((await server.app.inject({ method: 'PATCH', url: '/users/1', headers: json, payload: { age: 1 } })).headers.etag)
    const send = (etag: string) =>
      server.app.inject({ method, url: '/users/1', headers: { ...json, 'if-match': etag }, ...(payload && { payload }) })
    const refused = await send(stale)
    expect([refused.statusCode, refused.json().code]).toEqual([412, 'precondition_failed'])
    expect((await send(`W/${current}`)).statusCode).toBe(412)
    expect((await server.users.get(1))?.age).toBe(1)
    expect((await send(`"x", ${current}`)).statusCode).toBe(200)
  })

  test('a restore with a stale If-Match is 412 and brings nothing back; with the current one it does', async () => {
    const server = await startServer(engine)
    const stale = String((await post(server)).headers.etag)
    await server.users.delete(1)
    const current = String((await server.app.inject({ url: '/users/1?include_deleted=true' })).headers.etag)
    const restore = (etag: string) =>
      server.app.inject({ method: 'POST', url: '/users/1/restore', headers: { 'x-user': 'tester', 'if-match': etag } })
    const refused = await restore(stale)
    expect([refused.statusCode, refused.json().code]).toEqual([412, 'precondition_failed'])
    expect(await server.users.get(1)).toBeNull()
    expect((await restore(current)).json()).toEqual({ status: 'ok', restored: true })
  })

  test('a header that is no list of tags is 400', async () => {
    const server = await startServer(engine)
    await post(server)
    const response = await server.app.inject({
      method: 'PATCH',
      url: '/users/1',
      headers: { ...json, 'if-match': 'abc' },
      payload: { age: 1 },
    })
    expect([response.statusCode, response.json().code]).toEqual([400, 'bad_request'])
    const read = await server.app.inject({ method: 'GET', url: '/users/1', headers: { 'if-none-match': 'abc' } })
    expect([read.statusCode, read.json().code, read.headers.etag]).toEqual([400, 'bad_request', undefined])
  })

  test('If-None-Match: * on PUT makes a record and changes none', async () => {
    const server = await startServer(engine)
    const put = () =>
      server.app.inject({ method: 'PUT', url: '/tags/red', headers: { ...json, 'if-none-match': '*' }, payload: { label: 'Red' } })
    expect((await put()).statusCode).toBe(201)
    expect((await put()).statusCode).toBe(412)
  })

  test('If-Match on PUT makes no record where there is none', async () => {
    const server = await startServer(engine)
    const response = await server.app.inject({
      method: 'PUT',
      url: '/tags/red',
      headers: { ...json, 'if-match': '*' },
      payload: { label: 'Red' },
    })
    expect(response.statusCode).toBe(412)
    expect(await server.tags.count()).toBe(0)
  })

  test('a PUT of both If-Match and If-None-Match: * has nothing to do', async () => {
    const server = await startServer(engine)
    const put = (id: string) => {
      const headers = { ...json, 'if-match': '*', 'if-none-match': '*' }
      return server.app.inject({ method: 'PUT', url: `/tags/${id}`, headers, payload: { label: 'Red' } })
    }
    expect((await put('red')).statusCode).toBe(412)
    await server.tags.insert({ id: 'blue' })
    expect((await put('blue')).statusCode).toBe(412)
    expect(await server.tags.all()).toMatchObject([{ id: 'blue', label: null }])
  })

  test('If-None-Match: * on PUT of a deleted record says that it is to be restored', async () => {
    const server = await startServer(engine)
    await server.tags.insert({ id: 'red' })
    await server.tags.delete('red')
    const headers = { ...json, 'if-none-match': '*' }
    const response = await server.app.inject({ method: 'PUT', url: '/tags/red', headers, payload: {} })
    expect([response.statusCode, response.json().code]).toEqual([409, 'state_conflict'])
  })

  test('If-None-Match on a write is 412 when the record has one of the tags, or with * is there at all', async () => {
    const server = await startServer(engine, { requireIfMatch: ['tags'] })
    const etag = String((await post(server)).headers.etag)
    await server.tags.insert({ id: 'red' })
    const statusOf = async (method: 'PUT' | 'PATCH' | 'DELETE', url: string, tags: string) => {
      const payload = method === 'DELETE' ? {} : { payload: url.startsWith('/users') ? { age: 5 } : { label: 'x' } }
      return (await server.app.inject({ method, url, headers: { ...json, 'if-none-match': tags }, ...payload })).statusCode
    }
    for (const method of ['PUT', 'PATCH', 'DELETE'] as const) {
      expect(await statusOf(method, '/users/1', '*')).toBe(412)
      expect(await statusOf(method, '/users/1', `"x", W/${etag}`)).toBe(412)
      expect(await statusOf(method, '/users/9', '*')).toBe(404)
      expect(await statusOf(method, '/tags/red', '*')).toBe(412)
      expect(await statusOf(method, '/tags/red', '"x"')).toBe(428)
    }
    expect(await server.users.get(1)).toMatchObject({ age: null })
    expect(await statusOf('PATCH', '/users/1', '"x"')).toBe(200)
    const restore = { method: 'POST', url: '/users/1/restore', headers: { 'x-user': 'tester', 'if-none-match': '*' } } as const
    expect((await server.app.inject(restore)).statusCode).toBe(412)
  })

  test.each(['if-match', 'if-none-match'])('%s on a request for no record of its own is 400 that says which take it', async (name) => {
    const server = await startServer(engine)
    const operations = [{ method: 'create', component: 'users', body: ada }]
    const requests = [
      { method: 'POST', url: '/users', payload: ada },
      { method: 'POST', url: '/users', payload: [ada] },
      { method: 'POST', url: '/batch', payload: { operations } },
      { method: 'PATCH', url: '/users?age=1&at_most=1', payload: { age: 2 } },
      { method: 'DELETE', url: '/users?age=1&at_most=1' },
    ] as const
    for (const request of requests) {
      const headers = { 'x-user': 'tester', ...('payload' in request && { 'content-type': 'application/json' }), [name]: '*' }
      const response = await server.app.inject({ ...request, headers })
      expect([response.statusCode, response.json().code]).toEqual([400, 'bad_request'])
      expect(response.json().detail).toContain('PUT, PATCH and DELETE')
    }
    expect(await server.users.count()).toBe(0)
  })

  test('DELETE answers the ETag of a record that is only marked, with which it is restored; none of one that is gone', async () => {
    const server = await startServer(engine)
    await post(server)
    const { headers, json: body } = await server.app.inject({ method: 'DELETE', url: '/users/1', headers: { 'x-user': 'tester' } })
    expect(body().record.deleted_at).not.toBeNull()
    expect(headers.etag).toBe((await server.app.inject('/users/1?include_deleted=true')).headers.etag)
    expect(String(headers['access-control-expose-headers'])).toContain('ETag')
    const restore = { method: 'POST', url: '/users/1/restore', headers: { 'x-user': 'tester', 'if-match': String(headers.etag) } } as const
    expect((await server.app.inject(restore)).json()).toEqual({ status: 'ok', restored: true })
    const purged = await server.app.inject({ method: 'DELETE', url: '/users/1?purge=true', headers: { 'x-user': 'tester' } })
    expect([purged.statusCode, purged.headers.etag]).toEqual([200, undefined])
    const { id } = await server.products.insert({ name: 'lamp' })
    const removed = await server.app.inject({ method: 'DELETE', url: `/products/${id}`, headers: { 'x-user': 'tester' } })
    expect([removed.statusCode, removed.headers.etag]).toEqual([200, undefined])
  })

  test('a dry run answers no ETag and no Location: nobody will find a record so', async () => {
    const server = await startServer(engine)
    await post(server)
    await server.tags.insert({ id: 'red' })
    const payload = { age: 7 }
    const requests = [
      { method: 'POST', url: '/users', payload: { ...ada, email: 'other@example.com' } },
      { method: 'PUT', url: '/users/1', payload },
      { method: 'PUT', url: '/users/1', payload: { age: null } },
      { method: 'PUT', url: '/tags/blue', payload: { label: 'Blue' } },
      { method: 'PATCH', url: '/users/1', payload },
      { method: 'DELETE', url: '/users/1' },
    ] as const
    for (const request of requests) {
      const headers = { 'x-user': 'tester', ...('payload' in request && { 'content-type': 'application/json' }) }
      const response = await server.app.inject({ ...request, url: `${request.url}?dry_run=true`, headers })
      expect(response.statusCode, response.body).toBeLessThan(202)
      expect([response.headers.etag, response.headers.location]).toEqual([undefined, undefined])
    }
  })

  test('a component that requires If-Match answers 428 without it; others do not', async () => {
    const server = await startServer(engine, { requireIfMatch: ['users'] })
    const etag = String((await post(server)).headers.etag)
    const bare = await server.app.inject({ method: 'PATCH', url: '/users/1', headers: json, payload: { age: 1 } })
    expect([bare.statusCode, bare.json().code]).toEqual([428, 'precondition_required'])
    expect(
      (await server.app.inject({ method: 'PATCH', url: '/users/1', headers: { ...json, 'if-match': etag }, payload: { age: 1 } }))
        .statusCode,
    ).toBe(200)
    expect((await server.app.inject({ method: 'PUT', url: '/tags/a', headers: json, payload: {} })).statusCode).toBe(201)
    await expect(startServer(engine, { requireIfMatch: ['nobody'] })).rejects.toMatchObject({ code: 'invalid_options' })
  })

  test('16 clients that count up through GET, If-Match PUT and retry lose no update', async () => {
    const server = await startServer(engine)
    await post(server)
    await server.users.update(1, { age: 0 })
    const countUp = async (): Promise<void> => {
      for (;;) {
        const read = await server.app.inject({ url: '/users/1' })
        const headers = { ...json, 'if-match': String(read.headers.etag) }
        const { statusCode } = await server.app.inject({ method: 'PUT', url: '/users/1', headers, payload: { age: read.json().age + 1 } })
        if (statusCode === 200) return
        expect(statusCode).toBe(412)
      }
    }
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (let round = 0; round < 5; round++) await countUp()
      }),
    )
    expect((await server.users.get(1))?.age).toBe(80)
  })
})

describeEngines('aggregate over HTTP', (engine) => {
  test('measures groups; decimals and 64-bit integers travel as text', async () => {
    const server = await startServer(engine)
    await server.users.insertMany([
      { name: 'a', email: 'a@example.com', role: 'admin', age: 30, balance: '1.10', visits: 1n },
      { name: 'b', email: 'b@example.com', age: 20, balance: '2.20', visits: 2n ** 60n },
      { name: 'c', email: 'c@example.com', age: 40 },
    ])
    const response = await server.app.inject({ url: '/users/aggregate?group_by=role&measures=count,avg:age,sum:balance,max:visits' })
    expect(response.json()).toEqual([
      { role: 'admin', count: 1, avg_age: 30, sum_balance: '1.10', max_visits: '1' },
      { role: 'operator', count: 2, avg_age: 30, sum_balance: '2.20', max_visits: String(2n ** 60n) },
    ])
    expect((await server.app.inject({ url: '/users/aggregate?age[gt]=25' })).json()).toEqual([{ count: 2 }])
    expect((await server.app.inject({ url: '/users/aggregate/?measures=min:name' })).json()).toEqual([{ min_name: 'a' }])
  })

  test('a measure with the name of another field travels like the field that it is of', async () => {
    const Parcel = defineModel('parcels', { grams: Int64(), min_grams: DateTime(), sum_grams: Decimal({ precision: 4, scale: 1 }) })
    const app = closeAfterTest(Fastify())
    const parcels = new ModelAccessor(Parcel, 'parcels')
    await bootstrap(app, { accessors: [parcels], databaseUrl: await engine.freshUrl() })
    await parcels.insert({ grams: 7n, min_grams: new Date(0), sum_grams: '1.5' })
    const measured = await app.inject({ url: '/parcels/aggregate?measures=min:grams,sum:grams' })
    expect(measured.json()).toEqual([{ min_grams: '7', sum_grams: '7' }])
    const grouped = await app.inject({ url: '/parcels/aggregate?group_by=min_grams,sum_grams&measures=count' })
    expect(grouped.json()).toEqual([{ min_grams: '1970-01-01T00:00:00.000Z', sum_grams: '1.5', count: 1 }])
  })

  test.each(['measures=median:age', 'group_by=password_hash', 'measures=sum:password_hash', 'colour=red', 'sort=age'])(
    'refuses %s',
    async (query) => {
      const server = await startServer(engine)
      const response = await server.app.inject({ url: `/users/aggregate?${query}` })
      expect([response.statusCode, response.json().code]).toEqual([400, 'invalid_query'])
    },
  )
})
