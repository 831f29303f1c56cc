import { defineAccess, defineModel, ModelAccessor, openStorage, type Principal } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Fastify, { type FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Authentication, bootstrap, crudRouter, trustedHeader } from '../../src/index.ts'

const Note = defineModel(
  'notes',
  { org: Type.String({ maxLength: 20 }), text: Type.String(), owner: Type.String(), grade: Type.Optional(Type.String()) },
  { tenant: 'org' },
)
const owns = ({ id }: Principal) => ({ owner: String(id) })
const access = [defineAccess(Note, { all: ['chief', owns], create: ['chief', 'poster', owns], fields: { grade: { read: 'chief' } } })]

describeEngines('callers over HTTP', (database) => {
  const notes = new ModelAccessor(Note, 'notes')
  let app: FastifyInstance

  beforeAll(async () => {
    app = Fastify()
    const auth = trustedHeader({ roles: 'x-roles', tenant: 'x-org' })
    await bootstrap(app, { accessors: [notes], databaseUrl: await database.freshUrl(), access, auth, operators: { all: 'chief' } })
  })

  afterAll(() => app.close())

  const ask = (who: string, roles: string, method: string, url: string, body?: unknown, more: Record<string, string> = {}) =>
    app.inject({
      method: method as 'GET',
      url,
      headers: {
        'x-user': who,
        'x-roles': roles,
        'x-org': 'red',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...more,
      },
      ...(body !== undefined && { payload: JSON.stringify(body) }),
    })

  test('nobody works for all tenants by saying so, nor gives a header twice', async () => {
    for (const headers of [{ 'x-org': '*' }, { 'x-org': ' * ' }])
      expect((await ask('eve', 'chief', 'GET', '/notes', undefined, headers)).statusCode).toBe(400)
    const twice = { 'x-user': ['eve', 'ann'], 'x-org': 'red' }
    expect((await app.inject({ url: '/notes', headers: twice as never })).statusCode).not.toBe(200)
    const believed = trustedHeader({ tenant: 'x-org', everyTenant: true })
    const request = { headers: { 'x-user': 'eve', 'x-org': '*' }, raw: { rawHeaders: ['x-user', 'eve', 'x-org', '*'] } }
    expect(believed.authenticate(request as never)).toMatchObject({ tenant: '*' })
    for (const roles of ['Chief', 'chie', 'constructor,__proto__', 'no-chief'])
      expect((await ask('eve', roles, 'GET', '/notes')).json(), roles).toEqual([])
  })

  test('who may make no record at all is told so, whatever the body says', async () => {
    const bodies = [{ text: 'x', owner: 'eve', grade: 'A1' }, { nonsense: true }, [{ nonsense: true }]]
    for (const body of bodies) {
      const answer = await app.inject({ method: 'POST', url: '/notes', payload: body })
      expect({ status: answer.statusCode, code: answer.json().code }).toEqual({ status: 401, code: 'unauthorized' })
    }
  })

  test('a stored answer is the caller’s own, and given again as long as it may be seen', async () => {
    const key = { 'idempotency-key': 'k1' }
    const body = { text: 'mine', owner: 'ann', grade: 'A1' }
    const first = await ask('ann', 'chief', 'POST', '/notes', body, key)
    expect(first.statusCode).toBe(201)
    expect((await ask('ann', 'chief', 'POST', '/notes', body, key)).headers['idempotent-replayed']).toBe('true')
    // the same name in another tenant is somebody else
    const other = await ask('ann', 'chief', 'POST', '/notes', body, { ...key, 'x-org': 'blue' })
    expect([other.statusCode, other.headers['idempotent-replayed']]).toEqual([201, undefined])
    // a field that the caller may not read any more is taken out
    const less = await ask('ann', 'member', 'POST', '/notes', body, key)
    expect([less.statusCode, less.headers['idempotent-replayed'], less.body.includes('A1')]).toEqual([201, 'true', false])
    // a record that it may not read any more is not shown
    await notes.update(first.json().id, { owner: 'bob' })
    const none = await ask('ann', 'member', 'POST', '/notes', body, key)
    expect([none.statusCode, none.body.includes('mine')]).toEqual([403, false])
    const patch = { 'idempotency-key': 'k2' }
    const path = `/notes/${first.json().id}`
    expect((await ask('ann', 'chief', 'PATCH', path, { text: 'hers' }, patch)).statusCode).toBe(200)
    expect((await ask('ann', '', 'PATCH', path, { text: 'hers' }, patch)).statusCode).toBe(403)
  })

  test('a stored answer of a batch, and of a delete, is held to the rules as well', async () => {
    const made = await ask('ann', 'chief', 'POST', '/notes', [
      { text: 'one', owner: 'ann' },
      { text: 'two', owner: 'ann' },
    ])
    const [one, two] = (made.json() as { id: number }[]).map(({ id }) => id)
    const key = (name: string) => ({ 'idempotency-key': name })
    const operations = [{ method: 'patch', component: 'notes', id: one, body: { grade: 'top marks' } }]
    const batch = (roles: string) => ask('ann', roles, 'POST', '/batch', { operations }, key('b'))
    expect((await batch('chief')).body).toContain('top marks')
    expect((await batch('chief')).headers['idempotent-replayed']).toBe('true')
    const less = await batch('member')
    expect([less.statusCode, less.body.includes('top marks')]).toEqual([200, false])
    const remove = () => ask('ann', 'chief', 'DELETE', `/notes/${two}`, undefined, key('d'))
    expect((await remove()).statusCode).toBe(200)
    expect((await remove()).headers['idempotent-replayed']).toBe('true')
    await notes.update(one as number, { owner: 'bob' })
    expect((await batch('member')).statusCode).toBe(403)
  })

  test('a field that is hidden from a caller is like one that there is not, in a body too', async () => {
    const { id } = (await ask('ann', 'chief', 'POST', '/notes', { text: 'x', owner: 'ann', grade: 'C3' })).json() as { id: number }
    const told = async (method: string, url: string, name: string, value: unknown): Promise<string> => {
      const body = { text: 'x', owner: 'ann', [name]: value }
      const { statusCode, body: text } = await ask('ann', 'member', method, url, body)
      const { instance: _, request_id: __, ...problem } = JSON.parse(text)
      return `${statusCode} ${JSON.stringify(problem)}`.replaceAll(name, '…')
    }
    for (const value of ['C3', 'C4', 5, null]) {
      for (const [method, url] of [
        ['PATCH', `/notes/${id}`],
        ['PUT', `/notes/${id}`],
        ['POST', '/notes'],
        ['PATCH', '/notes?owner=ann&at_most=9'],
      ] as const)
        expect(await told(method, url, 'grade', value), `${method} ${String(value)}`).toBe(await told(method, url, 'zzzzz', value))
    }
    // nor is it suggested
    expect((await ask('ann', 'member', 'PATCH', `/notes/${id}`, { grad: 1 })).body).not.toContain('grade')
  })

  test('routes that know no caller are closed where there are rules or tenants to hold', async () => {
    const bare = new ModelAccessor(Note, 'notes')
    const storage = await openStorage({ url: await database.freshUrl(), accessors: [bare] })
    const server = Fastify()
    await server.register(crudRouter(bare), { prefix: '/notes' })
    expect((await server.inject('/notes')).statusCode).toBe(500)
    await server.close()
    await storage.close()
    await expect(
      bootstrap(Fastify(), { accessors: [bare], access, databaseUrl: 'sqlite::memory:', operators: 'loopback' }),
    ).rejects.toMatchObject({
      code: 'invalid_options',
    })
  })

  test.each<[string, unknown]>([
    ['roles that are a word', { id: 1, roles: 'chief' }],
    ['roles that are no names', { id: 1, roles: [1] }],
    ['an id that is no name', { id: '' }],
    ['an id that is no number', { id: Number.NaN }],
    ['a tenant that is an object', { id: 1, tenant: {} }],
    ['a word', 'chief'],
  ])('an authentication that answers %s lets nobody in', async (_what, principal) => {
    const server = Fastify()
    const auth: Authentication = { authenticate: () => principal as Principal }
    const own = new ModelAccessor(Note, 'notes')
    await bootstrap(server, { accessors: [own], databaseUrl: 'sqlite::memory:', access, auth, operators: { all: 'chief' } })
    for (const url of ['/notes', '/db/backups']) expect((await server.inject(url)).statusCode, url).toBe(500)
    await server.close()
  })

  test('an operator of one tenant, whose tenant is a number, has its tenant alone', async () => {
    const server = Fastify()
    const auth: Authentication = { authenticate: () => ({ id: 1, roles: ['chief'], tenant: 7 }) as unknown as Principal }
    const own = new ModelAccessor(Note, 'notes')
    await bootstrap(server, { accessors: [own], databaseUrl: 'sqlite::memory:', access, auth, operators: { all: 'chief' } })
    const status = async (url: string): Promise<number> => (await server.inject(url)).statusCode
    expect([await status('/db/backup.sqlite'), await status('/db/jobs'), await status('/db/audit')]).toEqual([403, 403, 200])
    const payload = { component: 'notes', operation: 'read', principal: { id: 1, tenant: 'blue' } }
    expect((await server.inject({ method: 'POST', url: '/db/explain-access', payload })).statusCode).toBe(403)
    expect([await status('/db/export.zip'), await status('/db/export.zip?secrets=include')]).toEqual([200, 403])
    await server.close()
  })

  test('nobody in particular may not even do nothing', async () => {
    const server = Fastify()
    const own = new ModelAccessor(Note, 'notes')
    const auth = trustedHeader({ roles: 'x-roles', tenant: 'x-org' })
    await bootstrap(server, {
      accessors: [own],
      databaseUrl: 'sqlite::memory:',
      access,
      auth: { authenticate: (request) => auth.authenticate(request) },
    })
    const batch = { method: 'POST' as const, url: '/batch?dry_run=true', payload: { operations: [] } }
    expect((await server.inject(batch)).statusCode).toBe(401)
    expect((await server.inject({ ...batch, headers: { 'x-user': 'ann' } })).statusCode).toBe(200)
    await server.close()
  })

  test('an operator of one tenant learns that the database answers, and nothing of its size', async () => {
    const server = Fastify()
    const auth = trustedHeader({ roles: 'x-roles', tenant: 'x-org' })
    const own = new ModelAccessor(Note, 'notes')
    await bootstrap(server, { accessors: [own], databaseUrl: 'sqlite::memory:', access, auth, operators: { all: 'chief' } })
    const health = async (headers: Record<string, string>) =>
      (await server.inject({ url: '/db/health', headers: { 'x-user': 'ann', 'x-roles': 'chief', ...headers } })).json()
    expect(await health({ 'x-org': 'red' })).toEqual({ status: 'ok' })
    expect(Object.keys(await health({}))).toContain('database_bytes')
    await server.close()
  })

  test('the scopes of a caller hold in a batch, and for a stored answer, as they are now', async () => {
    const server = Fastify()
    let scopes: readonly string[] = []
    const auth: Authentication = { authenticate: () => ({ id: 1, roles: ['chief'], tenant: 'red', scopes: [...scopes] }) }
    const own = new ModelAccessor(Note, 'notes')
    await bootstrap(server, { accessors: [own], databaseUrl: await database.freshUrl(), access, auth })
    const record = { text: 'kept', owner: 'ann' }
    const requests = [
      { url: '/notes', payload: record },
      { url: '/batch', payload: { operations: [{ method: 'create', component: 'notes', body: record }] } },
    ]
    for (const { url, payload } of requests) {
      const send = (...given: string[]) => {
        scopes = given
        return server.inject({ method: 'POST', url, payload, headers: { 'idempotency-key': `of ${url}` } })
      }
      const done = await send('notes:create', 'notes:read')
      expect(done.statusCode, done.body).toBeLessThan(300)
      expect((await send('notes:create', 'notes:read')).headers['idempotent-replayed'], url).toBe('true')
      for (const narrower of [['notes:read'], ['notes:create'], ['notes:delete', 'notes:read'], ['others:*'], []]) {
        const answer = await send(...narrower)
        expect([answer.statusCode, answer.body.includes('kept')], `${url} ${narrower}`).toEqual([403, false])
      }
      scopes = ['notes:read', 'notes:update']
      expect((await server.inject({ method: 'POST', url, payload })).statusCode, url).toBe(403)
    }
    scopes = ['notes:*']
    expect((await server.inject('/notes')).json()).toHaveLength(2)
    await server.close()
  })

  test('the operators’ routes are open as far as the scopes of a caller name them', async () => {
    const server = Fastify()
    let scopes: string[] | undefined
    const auth: Authentication = { authenticate: () => ({ id: 1, roles: ['chief'], tenant: '*', ...(scopes && { scopes }) }) }
    const own = new ModelAccessor(Note, 'notes')
    await bootstrap(server, { accessors: [own], databaseUrl: 'sqlite::memory:', access, auth, operators: { all: 'chief' } })
    const statuses = async (...given: (string[] | undefined)[]): Promise<number[]> => {
      ;[scopes] = given
      const urls = ['/db/audit', '/db/jobs', '/metrics', '/notes']
      return Promise.all(urls.map(async (url) => (await server.inject(url)).statusCode))
    }
    const [, , , records] = await statuses(undefined)
    expect(await statuses(undefined)).toEqual([200, 200, 200, records])
    expect(await statuses(['db:audit'])).toEqual([200, 403, 403, 403])
    expect(await statuses(['db:*'])).toEqual([200, 200, 200, 403])
    expect(await statuses(['*:*'])).toEqual([403, 403, 403, records])
    expect(await statuses([])).toEqual([403, 403, 403, 403])
    scopes = 'db:audit' as never
    expect((await server.inject('/db/audit')).statusCode).toBe(500)
    await server.close()
  })
})
