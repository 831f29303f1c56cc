import { readFile } from 'node:fs/promises'
import type { Session } from '@strongroom/core'
import { describeEngines, runReadmeCommands, startExample } from '@strongroom/testkit'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadSample, samplePassword } from '../src/sample.ts'
import { startServer } from '../src/server.ts'

const main = new URL('../src/main.ts', import.meta.url)
const rules = new URL('../monitoring/incidents.rules.yml', import.meta.url)

describeEngines('the incident server', (engine) => {
  test('fills itself, and answers the lines of its README as written', { timeout: 60_000 }, async () => {
    const example = await startExample(main, await engine.freshUrl(), /^Incidents are served/)
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
    const { faults, ran } = await runReadmeCommands(readme, 'http://127.0.0.1:3000', example.origin)
    expect(faults).toEqual([])
    expect(ran).toBeGreaterThan(12)
    expect(await example.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  })

  describe('with its sample', () => {
    let app: FastifyInstance
    const tokens: Record<string, { access_token: string; refresh_token: string }> = {}
    const ask = async (who: string | null, method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE', url: string, payload?: object) => {
      const headers = who === null ? {} : { authorization: `Bearer ${tokens[who]?.access_token}` }
      const answer = await app.inject({ method, url, headers, ...(payload && { payload }) })
      const isJson = String(answer.headers['content-type']).includes('json')
      return { status: answer.statusCode, headers: answer.headers, body: isJson ? answer.json() : answer.body }
    }
    const signIn = async (name: string) =>
      (await app.inject({ method: 'POST', url: '/auth/token', payload: { email: `${name}@lab.example`, password: samplePassword } })).json()

    beforeAll(async () => {
      app = await startServer({ databaseUrl: await engine.freshUrl(), port: 0, logLevel: 'silent', rateLimit: false })
      await loadSample(app.storage)
      for (const name of ['olga', 'ines', 'probe', 'vera']) tokens[name] = await signIn(name)
    })
    afterAll(() => app.close())

    test('writes down in the timeline what happens to an incident', async () => {
      const { body: incident } = await ask('ines', 'POST', '/incidents', { title: 'Late scores', ml_model: 'churn-v1', severity: 'sev3' })
      const { id: assignee_id } = (await ask('ines', 'GET', '/auth/me')).body
      await ask('ines', 'PATCH', `/incidents/${incident.id}`, { status: 'investigating', assignee_id })
      await ask('ines', 'POST', '/timeline_entries', { incident_id: incident.id, text: 'A full disk.' })
      const resolved = await ask('ines', 'PATCH', `/incidents/${incident.id}`, { status: 'resolved' })
      expect(resolved.body.resolved_at).toEqual(expect.any(String))
      const { body: entries } = await ask('vera', 'GET', `/timeline_entries?incident_id=${incident.id}&sort=id&fields=kind,text,created_by`)
      expect(entries).toEqual([
        { kind: 'status', text: 'Opened as sev3: Late scores', created_by: 'ines@lab.example' },
        { kind: 'status', text: 'open to investigating', created_by: 'ines@lab.example' },
        { kind: 'assignment', text: 'Assigned to Inês Duarte', created_by: 'ines@lab.example' },
        { kind: 'note', text: 'A full disk.', created_by: 'ines@lab.example' },
        { kind: 'status', text: 'investigating to resolved', created_by: 'ines@lab.example' },
      ])
      expect(await ask('olga', 'PATCH', `/timeline_entries/1`, { text: 'It was nobody.' })).toMatchObject({ status: 403 })
    })

    test('lets each role do what it is for', async () => {
      const incident = { title: 'x', ml_model: 'm', severity: 'sev4' }
      const reading = { kind: 'accuracy', subject: 'm', value: 0.9 }
      const statuses = async (method: 'POST' | 'PUT', url: string, payload: object) => {
        const found = []
        for (const who of [null, 'vera', 'probe', 'ines', 'olga']) found.push((await ask(who, method, url, payload)).status)
        return found
      }
      expect(await statuses('POST', '/incidents', incident)).toEqual([401, 403, 403, 201, 201])
      expect(await statuses('PUT', '/readings/m.accuracy', reading)).toEqual([401, 403, 201, 403, 200])
      expect(await statuses('POST', '/drift_scans', { ml_model: 'm', reference: { a: [1] }, current: { a: [1] } })).toEqual([
        401, 403, 201, 403, 201,
      ])
    })

    test('opens one incident for a model whose features drift, in the transaction of the scan, and adds to it', async () => {
      const reference = { price: Array.from({ length: 40 }, (_, index) => 10 + index), empty: [1, 2, 3] }
      const scan = (current: object) => ask('probe', 'POST', '/drift_scans', { ml_model: 'price-v2', reference, current })
      const steady = await scan(reference)
      expect(steady.body).toMatchObject({ drifted: false, incident_id: null })
      const far = { ...reference, price: reference.price.map((value) => value * 3) }
      const first = await scan(far)
      expect(first.body).toMatchObject({
        drifted: true,
        found: [
          { feature: 'price', deviation: 2, drifted: true },
          { feature: 'empty', drifted: false },
        ],
      })
      const second = await scan(far)
      expect(second.body.incident_id).toBe(first.body.incident_id)
      const { body: incident } = await ask('vera', 'GET', `/incidents/${first.body.incident_id}?include=timeline_entries`)
      expect(incident).toMatchObject({ source: 'drift', severity: 'sev2', ml_model: 'price-v2' })
      expect(incident.timeline_entries.filter(({ kind }: { kind: string }) => kind === 'drift')).toHaveLength(2)
      expect(await scan({ price: [1] })).toMatchObject({ status: 422, body: { errors: [{ path: 'current.empty' }] } })
    })

    test('shows models, pipelines, drift and incidents in /metrics, and its alerts ask for none that are not there', async () => {
      expect((await ask('vera', 'GET', '/metrics')).status).toBe(403)
      const { body } = await ask('probe', 'GET', '/metrics')
      expect(body).toContain('ml_model_accuracy_ratio{model="fraud-v3"} 0.942')
      expect(body).toMatch(/^ml_feature_drift_ratio\{model="churn-v1",feature="visits"\} 2\.0\d+$/m)
      expect(body).toContain('ml_open_incidents{severity="sev1"} 1')
      const names = new Set([...String(body).matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name))
      const wanted = [...(await readFile(rules, 'utf8')).matchAll(/\b(?:ml|strongroom|http)_\w+/g)].map(([name]) =>
        name.replace(/_bucket$/, ''),
      )
      expect(wanted.length).toBeGreaterThan(10)
      expect(wanted.filter((name) => !names.has(name))).toEqual([])
    })

    test('answers with a trace id and security headers, whatever it answers, and the health checks of everybody', async () => {
      for (const [path, answered] of Object.entries({
        '/health': 200,
        '/ready': 200,
        '/incidents': 401,
        '/metrics': 401,
        '/nowhere': 404,
      })) {
        const { status, headers } = await ask(null, 'GET', path)
        expect(status, path).toBe(answered)
        expect(headers).toMatchObject({ 'x-trace-id': expect.stringMatching(/^[0-9a-f]{32}$/), 'x-content-type-options': 'nosniff' })
      }
    })

    test('ends a session: a token is good once, and none after it', async () => {
      const session = await signIn('vera')
      const refresh = (refresh_token: string) => app.inject({ method: 'POST', url: '/auth/refresh', payload: { refresh_token } })
      const next = (await refresh(session.refresh_token)).json()
      const bearer = { authorization: `Bearer ${next.access_token}` }
      expect((await app.inject({ url: '/incidents', headers: bearer })).statusCode).toBe(200)
      await app.inject({ method: 'POST', url: '/auth/logout', headers: bearer })
      expect((await app.inject({ url: '/incidents', headers: bearer })).statusCode).toBe(401)
      expect((await refresh(next.refresh_token)).statusCode).toBe(401)
    })

    test('lets nobody in while the store of revoked tokens does not answer, and says so in a figure', async () => {
      const rename = (from: string, to: string) => {
        const work = async ({ kysely }: Session) => void (await kysely.schema.alterTable(from).renameTo(to).execute())
        return app.storage.transaction(work, { unaudited: true, actor: 'test' })
      }
      await rename('auth_revocations', 'gone')
      const refused = await ask('ines', 'GET', '/incidents')
      await rename('gone', 'auth_revocations')
      expect(refused.status).toBe(503)
      expect((await ask('ines', 'GET', '/incidents')).status).toBe(200)
      const { body } = await ask('probe', 'GET', '/metrics')
      expect(body).toMatch(/^strongroom_revocation_store_failures_total [1-9]/m)
    })
  })
})
