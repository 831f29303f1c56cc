import { ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Fastify from 'fastify'
import { describe, expect, test } from 'vitest'
import { createServer, trustedHeader } from '../src/index.ts'
import { ada, addUser, closeAfterTest, expectProblem, startServer, type TestServer, User } from './support.ts'

/** The samples of an answer by name and labels. */
async function samples(app: TestServer['app'], url = '/metrics'): Promise<Map<string, number>> {
  const { body, statusCode } = await app.inject({ url })
  expect(statusCode, body).toBe(200)
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]))
}

describeEngines('the metrics of a guest', (engine) => {
  test('count requests by the route’s template, what was written, and how the database is', async () => {
    const host = Fastify()
    host.get('/theirs', async () => 'theirs')
    host.addHook('onRequest', async (request, reply) => (request.headers['x-refused'] ? reply.code(401).send('no') : undefined))
    const server = await startServer(engine, {}, host)
    const { app } = server
    const { id } = await addUser(server)
    const headers = { 'x-user': 'canary-actor' }
    await app.inject({ url: `/users/${id}` })
    await app.inject({ url: `/users/${id}/` })
    await app.inject({ url: '/users/99' })
    await app.inject({ url: '/theirs' })
    await app.inject({ url: '/users', headers: { 'x-refused': 'by the host' } })
    await app.inject({ method: 'POST', url: '/users', headers, payload: [{ ...ada, email: 'canary@example.com' }] })
    await app.inject({ method: 'POST', url: '/users', headers, payload: { ...ada, name: 'Another' } })
    await app.inject({ method: 'DELETE', url: `/users/${id}?dry_run=true`, headers })
    await app.inject({ url: '/db/health', headers: { via: 'somebody' } })
    await app.inject({ url: '/db/audit', headers: { via: 'somebody' } })
    const told = await samples(app)
    expect([...told].filter(([name]) => name.startsWith('http_requests_total'))).toEqual([
      ['http_requests_total{method="GET",route="/users/:id",status="200"}', 2],
      ['http_requests_total{method="GET",route="/users/:id",status="404"}', 1],
      ['http_requests_total{method="GET",route="/users",status="401"}', 1],
      ['http_requests_total{method="POST",route="/users",status="201"}', 1],
      ['http_requests_total{method="POST",route="/users",status="409"}', 1],
      ['http_requests_total{method="DELETE",route="/users/:id",status="200"}', 1],
      ['http_requests_total{method="GET",route="/db/health",status="200"}', 1],
      ['http_requests_total{method="GET",route="/db/audit",status="403"}', 1],
    ])
    expect(Object.fromEntries(told)).toMatchObject({
      'http_request_duration_seconds_count{method="GET",route="/users/:id",status="200"}': 2,
      'strongroom_denied_requests_total{status="401"}': 1,
      'strongroom_denied_requests_total{status="403"}': 1,
      'strongroom_denied_requests_total{status="429"}': 0,
      'strongroom_records_written_total{component="users",operation="create"}': 2,
      strongroom_audit_entries_total: 2,
      strongroom_transaction_wait_seconds_count: 4,
      'strongroom_transaction_duration_seconds_count{outcome="committed"}': 2,
      'strongroom_transaction_duration_seconds_count{outcome="dry_run"}': 1,
      'strongroom_transaction_failures_total{code="unique_conflict"}': 1,
      strongroom_transaction_retries_total: 0,
      'strongroom_jobs_ended_total{kind="import",state="failed"}': 0,
      strongroom_database_up: 1,
      strongroom_schema_fits: 1,
      strongroom_queue_waiting: 0,
      strongroom_audit_seal_lag_seconds: expect.any(Number),
      nodejs_eventloop_lag_seconds: expect.any(Number),
      process_resident_memory_bytes: expect.any(Number),
    })
    expect(told.has('strongroom_database_wal_bytes')).toBe(engine.has('oneFile'))
    expect(told.has('strongroom_backup_age_seconds')).toBe(false)
    expect([...told.keys()].join()).not.toMatch(/canary|ada/i)
  })

  test('say that the database does not answer, where it does not', async () => {
    const { app, storage } = await startServer(engine)
    await storage.close()
    const told = await samples(app)
    expect(told.get('strongroom_database_up')).toBe(0)
    expect(told.has('strongroom_queue_waiting')).toBe(false)
  })
})

describeEngines('the metrics', (engine) => {
  test('are for operators: on this machine, or those whom the rules let in, a tenant’s never', async () => {
    const { app } = await startServer(engine, { operators: 'loopback' })
    const refused = await app.inject({ url: '/metrics', remoteAddress: '10.0.0.1' })
    expect(refused.statusCode).toBe(403)
    expectProblem(refused)
    const auth = trustedHeader({ roles: 'x-roles', tenant: 'x-tenant' })
    const watched = await startServer(engine, { auth, operators: { metrics: 'monitor' }, enableDbRouter: false })
    const ask = async (headers: Record<string, string>): Promise<number> =>
      (await watched.app.inject({ url: '/metrics', headers })).statusCode
    expect(await ask({})).toBe(401)
    expect(await ask({ 'x-user': 'eve' })).toBe(403)
    expect(await ask({ 'x-user': 'bot', 'x-roles': 'monitor', 'x-tenant': 'acme' })).toBe(403)
    expect(await ask({ 'x-user': 'bot', 'x-roles': 'monitor' })).toBe(200)
  })

  test('are elsewhere, or nowhere, as the server says, and have what an authentication counts', async () => {
    let calls = 0
    const figures = [
      { name: 'strongroom_revocation_store_up', help: 'Is it?', type: 'gauge', read: () => 0 },
      { name: 'strongroom_revocation_failures_total', help: 'How often?', type: 'counter', read: () => ++calls },
    ] as const
    const auth = { ...trustedHeader(), figures }
    const { app } = await startServer(engine, { auth, operators: { all: true }, systemRoutes: { metrics: '/figures' } })
    const headers = { 'x-user': 'bot' }
    expect((await app.inject({ url: '/metrics', headers })).statusCode).toBe(404)
    await app.inject({ url: '/figures', headers })
    const { body } = await app.inject({ url: '/figures', headers })
    expect(body).toContain('\nstrongroom_revocation_store_up 0\n')
    expect(body).toContain('\nstrongroom_revocation_failures_total 2\n')
    const without = await startServer(engine, { systemRoutes: { metrics: false } })
    expect((await without.app.inject('/metrics')).statusCode).toBe(404)
  })

  test("have the program's own figures: values with labels, read when they are asked for, and absent when they cannot be read", async () => {
    let models = ['a', 'b']
    let isBroken = false
    const figures = [
      {
        name: 'ml_drift_ratio',
        help: 'How far?',
        type: 'gauge',
        labelNames: ['model'],
        read: async () => models.map((model) => ({ labels: { model }, value: 0.5 })),
      },
      {
        name: 'shop_orders_total',
        help: 'How many?',
        type: 'counter',
        read: () => {
          if (isBroken) throw new Error('no shop')
          return 7
        },
      },
    ] as const
    const { app } = await startServer(engine, { figures })
    const metrics = async () => (await app.inject('/metrics')).body
    expect(await metrics()).toContain('ml_drift_ratio{model="a"} 0.5\nml_drift_ratio{model="b"} 0.5\n')
    expect(await metrics()).toContain('\nshop_orders_total 7\n')
    models = ['b']
    isBroken = true
    const later = await metrics()
    expect(later).toContain('ml_drift_ratio{model="b"} 0.5\n')
    expect(later).not.toContain('model="a"')
    expect(later).not.toContain('\nshop_orders_total ')
    expect(later).toContain('strongroom_database_up 1')
  })

  test.each([
    ['has no name', { name: 'orders waiting' }, 'not "orders waiting"'],
    ['has a name of the server', { name: 'http_orders' }, 'keeps for its own'],
    ['is a counter by another name', { type: 'counter' }, 'ends with _total'],
    ['has labels that are no names', { labelNames: ['a-b'] }, 'is a list of names'],
    ['cannot be read', { read: 7 }, 'needs a function'],
  ])('refuse a figure that %s', async (_what, wrong, message) => {
    const figure = { name: 'shop_orders', help: 'How many?', type: 'gauge', read: () => 1, ...wrong }
    await expect(startServer(engine, { figures: [figure] as never })).rejects.toThrow(message)
  })
})

describe('a whole server', () => {
  test('counts all requests once, those to paths that there are not and those that are too many as well', async () => {
    const app = closeAfterTest(
      await createServer({
        accessors: [new ModelAccessor(User, 'users')],
        databaseUrl: 'sqlite::memory:',
        operators: 'loopback',
        port: 0,
        logger: false,
        rateLimit: { requests: 2, period: 60 },
      }),
    )
    await app.inject('/nowhere/canary')
    await app.inject('/users')
    await app.inject('/users/1')
    const told = await samples(app)
    expect([...told].filter(([name]) => name.startsWith('http_requests_total'))).toEqual([
      ['http_requests_total{method="GET",route="none",status="404"}', 1],
      ['http_requests_total{method="GET",route="/users",status="200"}', 1],
      ['http_requests_total{method="GET",route="/users/:id",status="429"}', 1],
    ])
    expect(told.get('strongroom_denied_requests_total{status="429"}')).toBe(1)
  })
})
