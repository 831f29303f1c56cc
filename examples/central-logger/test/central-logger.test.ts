import { readdir, readFile } from 'node:fs/promises'
import { Shipper } from '@strongroom/client/shipper'
import type { Session } from '@strongroom/core'
import { describeEngines, needs, runReadmeCommands, startExample, tempFolder } from '@strongroom/testkit'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { logs } from '../src/models.ts'
import { loadSample, samplePassword } from '../src/sample.ts'
import { startServer } from '../src/server.ts'

const main = new URL('../src/main.ts', import.meta.url)
/** Behind all runs of the sample, and before those that the tests ship. */
const sampleEnd = new Date('2026-11-30T07:00:00Z')

describeEngines('the central logger', (engine) => {
  test('fills itself, and answers the lines of its README as written', { timeout: 60_000 }, async () => {
    const example = await startExample(main, await engine.freshUrl(), /^Logs are taken/)
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
    const { faults, ran } = await runReadmeCommands(readme, 'http://127.0.0.1:3000', example.origin)
    expect(faults).toEqual([])
    expect(ran).toBeGreaterThan(6)
    expect(await example.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  })

  describe('with its sample', () => {
    let app: FastifyInstance
    const keys: Record<string, string> = {}
    const ask = async (client: string | null, method: 'GET' | 'POST', url: string, payload?: object) => {
      const headers = client === null ? {} : { 'x-api-key': keys[client] ?? '' }
      const answer = await app.inject({ method, url, headers, ...(payload && { payload }) })
      return { status: answer.statusCode, body: answer.json() }
    }

    beforeAll(async () => {
      app = await startServer({ databaseUrl: await engine.freshUrl(), port: 0, logLevel: 'silent', rateLimit: false })
      await loadSample(app.storage)
      for (const client of ['acme', 'globex']) {
        const payload = { email: `service@${client}.example`, password: samplePassword }
        const { access_token } = (await app.inject({ method: 'POST', url: '/auth/token', payload })).json()
        const headers = { authorization: `Bearer ${access_token}` }
        keys[client] = (await app.inject({ method: 'POST', url: '/auth/api-keys', headers, payload: { name: 'test' } })).json().key
      }
    })
    afterAll(() => app.close())

    const log = (ticket_id: string, more: object = {}) => ({
      ticket_id,
      workflow: 'refund',
      category: 'billing',
      status: 'success',
      executed_at: '2026-11-30T08:00:00Z',
      duration_ms: 12.5,
      metrics: { rows: 3 },
      payload: { note: 'as JSON' },
      trace: [{ name: 'read', at_ms: 1 }],
      ...more,
    })

    test('takes a log, says its id, and answers it whole', async () => {
      const { status, body } = await ask('acme', 'POST', '/api/v1/logs', log('ONE'))
      expect(status).toBe(201)
      expect(body).toEqual({ log_id: expect.stringMatching(/^[0-9a-f-]{36}$/) })
      const found = await ask('acme', 'GET', `/api/v1/logs/${body.log_id}`)
      expect(found.body).toEqual({
        ...log('ONE'),
        log_id: body.log_id,
        client_id: 'acme',
        key: null,
        executed_at: '2026-11-30T08:00:00.000Z',
      })
    })

    test('takes the client from the key, and never from the body', async () => {
      expect(await ask('acme', 'POST', '/api/v1/logs', log('TWO', { client_id: 'globex' }))).toMatchObject({
        status: 422,
        body: { errors: [{ path: 'client_id' }] },
      })
      expect(await ask(null, 'POST', '/api/v1/logs', log('TWO'))).toMatchObject({ status: 401 })
    })

    test('keeps a record once however often it arrives', async () => {
      const batch = [log('KEYED', { key: 'k1' }), log('KEYED', { key: 'k2' })]
      const first = await ask('acme', 'POST', '/api/v1/logs', batch)
      const again = await ask('acme', 'POST', '/api/v1/logs', batch)
      expect(first).toMatchObject({ status: 201, body: [{ log_id: expect.any(String) }, { log_id: expect.any(String) }] })
      expect(again.body).toEqual(first.body)
      // a key is one of its client
      await ask('globex', 'POST', '/api/v1/logs', batch)
      for (const client of ['acme', 'globex'])
        expect((await ask(client, 'GET', '/api/v1/logs?ticket_id=KEYED')).body.pagination.total, client).toBe(2)
    })

    test('has pages of what is asked for, the newest first', async () => {
      const { body } = await ask(
        'globex',
        'GET',
        '/api/v1/logs?category=billing&status=success&page=1&page_size=2&until=2026-11-30T07:00:00Z',
      )
      expect(body.data).toHaveLength(2)
      expect(body.pagination).toEqual({ page: 1, page_size: 2, total: expect.any(Number), pages: expect.any(Number) })
      expect(body.data[0].executed_at > body.data[1].executed_at).toBe(true)
      for (const query of ['page=0', 'page_size=201', 'status=maybe', 'since=yesterday', 'colour=red', 'status=success&status=failure'])
        expect(await ask('globex', 'GET', `/api/v1/logs?${query}`), query).toMatchObject({ status: 400, body: { code: 'invalid_query' } })
    })

    test('counts in the database, for the client that asks', async () => {
      const rows = await logs.find({
        where: { client_id: 'globex', executed_at: { lt: sampleEnd } },
        orderBy: 'executed_at',
        access: 'system',
      })
      const failed = rows.filter(({ status }) => status === 'failure').length
      const spent = rows.reduce((sum, { duration_ms }) => sum + duration_ms, 0)
      const until = `until=${sampleEnd.toISOString()}`
      const { body } = await ask('globex', 'GET', `/api/v1/metrics/overview?${until}`)
      expect(failed).toBeGreaterThan(0)
      expect(body).toMatchObject({
        total: rows.length,
        failure: failed,
        success: rows.length - failed,
        failure_rate: failed / rows.length,
        last_executed_at: rows.at(-1)?.executed_at.toISOString(),
      })
      expect(body.average_duration_ms).toBeCloseTo(spent / rows.length, 6)
      const { body: categories } = await ask('globex', 'GET', `/api/v1/metrics/categories?${until}`)
      for (const { category, total, failure } of categories) {
        const own = rows.filter((row) => row.category === category)
        expect([total, failure], category).toEqual([own.length, own.filter(({ status }) => status === 'failure').length])
      }
      expect(categories.map(({ total }: { total: number }) => total)).toEqual(
        [...categories.map(({ total }: { total: number }) => total)].sort((x: number, y: number) => y - x),
      )
    })

    test('counts in periods that follow each other, from the first run to the last', async () => {
      const rows = await logs.find({ where: { client_id: 'globex', executed_at: { lt: sampleEnd } }, access: 'system' })
      const { body } = await ask('globex', 'GET', `/api/v1/metrics/timeline?until=${sampleEnd.toISOString()}`)
      expect(body.length).toBeGreaterThan(10)
      for (const [index, { from, until, success, failure }] of body.entries()) {
        const own = rows.filter(({ executed_at }) => executed_at >= new Date(from) && executed_at < new Date(until))
        expect(success + failure, from).toBe(own.length)
        expect(failure, from).toBe(own.filter(({ status }) => status === 'failure').length)
        if (index > 0) expect(from).toBe(body[index - 1].until)
      }
      const counted = body.reduce((sum: number, { success, failure }: Record<string, number>) => sum + (success ?? 0) + (failure ?? 0), 0)
      expect(counted).toBe(rows.length)
      // the first and the last moment that there is
      const edges = ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z'].map((executed_at) => log('EDGES', { executed_at }))
      await ask('acme', 'POST', '/api/v1/logs', edges)
      const { status, body: ages } = await ask('acme', 'GET', '/api/v1/metrics/timeline?ticket_id=EDGES')
      expect([status, ages.length, ages[0].success, ages.at(-1).success]).toEqual([200, expect.any(Number), 1, 1])
      expect((await ask('globex', 'GET', '/api/v1/metrics/timeline?ticket_id=none')).body).toEqual([])
      expect((await ask('globex', 'GET', `/api/v1/metrics/timeline?ticket_id=${rows[0]?.ticket_id}`)).body.length).toBeGreaterThan(0)
    })

    test('serves its dashboard whole, to be loaded from nowhere else and to run no other script', async () => {
      const files = (await readdir(new URL('../dashboard/', import.meta.url))).filter((name) => name !== 'tsconfig.json')
      for (const path of ['/dashboard', ...files.filter((name) => name !== 'index.html').map((name) => `/dashboard/${name}`)]) {
        const { statusCode, headers, body } = await app.inject(path)
        expect(statusCode, path).toBe(200)
        expect(headers['content-security-policy'], path).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/)
        expect(headers['content-type'], path).toMatch(/^(text\/(html|javascript|css)|image\/svg\+xml); charset=utf-8$/)
        // inner HTML is what would let a log become a script
        expect(body, path).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|https?:\/\/(?!www\.w3\.org)/)
      }
      expect((await app.inject('/dashboard/tsconfig.json')).statusCode).toBe(404)
      expect((await app.inject('/dashboard/..%2fpackage.json')).statusCode).toBe(404)
    })

    test('keeps clients apart: another’s log is as if it did not exist', async () => {
      const { body } = await ask('acme', 'POST', '/api/v1/logs', log('SECRET'))
      expect(await ask('globex', 'GET', `/api/v1/logs/${body.log_id}`)).toMatchObject({ status: 404 })
      expect((await ask('globex', 'GET', '/api/v1/logs?ticket_id=SECRET')).body.data).toEqual([])
      expect((await ask('globex', 'GET', '/log_records?ticket_id=SECRET')).body).toEqual([])
    })

    needs(engine, 'rowSecurity', () => {
      test('keeps them apart in the database, too: raw SQL on behalf of a client sees its own', async () => {
        const count = async ({ kysely }: Session) => (await kysely.selectFrom('logs').select('client_id').distinct().execute()) as unknown
        const seen = await app.storage.actingAs({ tenant: 'globex' }, () => app.storage.transaction(count))
        expect(seen).toEqual([{ client_id: 'globex' }])
      })
    })

    test('gets the logs of a shipper, each once', async () => {
      const folder = await tempFolder('central-logger')
      onTestFinished(folder.remove)
      const shipper = new Shipper({
        url: `${app.listeningOrigin}/api/v1/logs`,
        apiKey: keys['acme'] ?? '',
        folder: folder.path,
        batchSize: 50,
      })
      for (let run = 0; run < 120; run++)
        await shipper.workflow({ ticket_id: 'SHIPPED', workflow: 'w', category: 'shipped' }, (told) => told.metric('run', run))
      expect(await shipper.close()).toBe(true)
      const rows = await logs.find({ where: { ticket_id: 'SHIPPED' }, access: 'system' })
      expect(rows.map(({ metrics, client_id }) => [client_id, metrics['run']]).sort((a, b) => Number(a[1]) - Number(b[1]))).toEqual(
        Array.from({ length: 120 }, (_, run) => ['acme', run]),
      )
    })
  })
})
