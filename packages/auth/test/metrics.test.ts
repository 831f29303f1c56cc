import { describeEngines } from '@strongroom/testkit'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { samplesOf, startWatched, type WatchedServer } from './metrics-support.ts'
import { bearer } from './support.ts'

/** Figures of what happens, which is nothing yet where a server begins. */
const figures = [
  'http_requests_total{method="POST",route="/tasks",status="201"}',
  'http_request_duration_seconds_count{method="POST",route="/tasks",status="201"}',
  'strongroom_records_written_total{component="tasks",operation="create"}',
  'strongroom_audit_entries_total',
  'strongroom_transaction_wait_seconds_count',
  'strongroom_transaction_duration_seconds_count{outcome="committed"}',
  'strongroom_transaction_failures_total{code="validation_failed"}',
  'strongroom_jobs_ended_total{kind="import",state="done"}',
  'strongroom_denied_requests_total{status="401"}',
  'strongroom_denied_requests_total{status="403"}',
  'strongroom_denied_requests_total{status="429"}',
  'strongroom_logins_total',
  'strongroom_login_failures_total',
  'strongroom_lockouts_total',
  'strongroom_refreshes_total',
  'strongroom_refresh_reuse_total',
  'strongroom_revocation_store_failures_total',
]

describeEngines('the metrics of a server whose users sign in', (engine) => {
  let server: WatchedServer

  beforeEach(async () => {
    server = await startWatched(engine)
  })
  afterEach(() => server.close())

  const told = async () => samplesOf(await server.metrics())

  test('move with all that happens: requests, writes, jobs, sign-ins, refusals, the store of what was revoked', async () => {
    const before = await told()
    const { app } = server
    const { access_token, refresh_token } = await server.signIn()
    const headers = bearer(access_token)
    const member = { email: 'ada@example.com', password: 'correct horse battery', roles: ['member'] }
    const send = (url: string, payload: object | string, more: object = {}) =>
      app.inject({ method: 'POST', url, payload, headers: { ...headers, ...more } })
    expect((await send('/users', member)).statusCode).toBe(201)
    expect((await send('/tasks', { title: 'one' })).statusCode).toBe(201)
    expect((await send('/users', { ...member, email: 'eve@example.com', password: 'weak' })).statusCode).toBe(422)
    const imported = await send('/db/import?table=tasks', 'title\ntwo\n', { 'content-type': 'text/csv', prefer: 'wait=10' })
    expect([imported.statusCode, imported.body]).toEqual([200, expect.any(String)])
    const ada = await server.signIn('ada@example.com')
    expect((await app.inject({ url: '/db/audit', headers: bearer(ada.access_token) })).statusCode).toBe(403)
    expect((await app.inject('/tasks')).statusCode).toBe(401)
    for (let round = 0; round < 2; round++) await server.signIn('ada@example.com', 'a wrong password')
    const refresh = (token: string) => app.inject({ method: 'POST', url: '/auth/refresh', payload: { refresh_token: token } })
    expect((await refresh(refresh_token)).statusCode).toBe(200)
    expect((await refresh(refresh_token)).statusCode).toBe(401)
    server.breakStore(true)
    expect((await app.inject({ url: '/tasks', headers: bearer(ada.access_token) })).statusCode).toBe(503)
    // What tells operators of it must not need it.
    const unseen = Object.fromEntries(server.figures().map(({ name, read }) => [name, read()]))
    expect(unseen['strongroom_revocation_store_up']).toBe(0)
    server.breakStore(false)
    for (let round = 0; round < 61; round++) await app.inject('/tasks')
    const after = await told()
    expect(figures.filter((name) => !((after.get(name) ?? 0) > (before.get(name) ?? 0)))).toEqual([])
    expect(after.get('strongroom_revocation_store_up')).toBe(1)
    await vi.waitFor(async () => expect((await told()).get('strongroom_backup_age_seconds')).toBeGreaterThanOrEqual(0))
    expect(Object.fromEntries(after)).toMatchObject({
      strongroom_backup_failed: 0,
      strongroom_transaction_retries_total: expect.any(Number),
      strongroom_queue_running: expect.any(Number),
      strongroom_queue_waiting: 0,
      strongroom_queue_longest_wait_seconds: expect.any(Number),
    })
  })

  test('have no more samples after paths, methods, ids, names and tokens of an attacker’s choice', async () => {
    const { app } = server
    const { access_token } = await server.signIn()
    const throwAt = async (word: string): Promise<void> => {
      const url = `/${word}`
      await app.inject({ url, headers: bearer(word) })
      await app.inject({ url: `/tasks/${word}`, headers: bearer(access_token) })
      await app.inject({ method: 'POST', url: '/tasks', payload: { [word]: 1 }, headers: bearer(access_token) })
      await app.inject({ method: 'PROPFIND' as 'GET', url })
      await app.inject({ method: 'POST', url: '/auth/token', payload: { email: `${word}@example.com`, password: word } })
      await app.inject({ method: 'POST', url: '/auth/refresh', payload: { refresh_token: word } })
    }
    await throwAt('first')
    // What comes by itself is there from now on: the scrape is counted, the use of its key is noted, the first backup has ended.
    const own = [
      'http_requests_total{method="GET",route="/metrics",status="200"}',
      'strongroom_records_written_total{component="auth_api_keys",operation="update"}',
      'strongroom_backup_age_seconds',
    ]
    await vi.waitFor(async () => expect([...(await told()).keys()]).toEqual(expect.arrayContaining(own)), {
      timeout: 20_000,
      interval: 200,
    })
    const before = [...(await told()).keys()]
    for (let round = 0; round < 5; round++) await throwAt(`canary${round}`)
    const after = [...(await told()).keys()]
    // Node tells what kinds of things it is at, of which there are a dozen, and four kinds of garbage collection from the first of each on.
    const kinds =
      /^nodejs_(active_(handles|requests|resources)\{type="[A-Za-z]+"|gc_duration_seconds_(bucket\{le="[\d.+Inf]+",|sum\{|count\{)kind="(major|minor|incremental|weakcb)")\}$/
    expect(after.filter((name) => !before.includes(name) && !kinds.test(name))).toEqual([])
    expect(after.join()).not.toMatch(/canary|example\.com/)
  })
})
