import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Session } from '@strongroom/core'
import { describeEngines, runReadmeCommands, startExample } from '@strongroom/testkit'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { risks } from '../src/accessors.ts'
import { loadSample, samplePassword } from '../src/sample.ts'
import { startServer } from '../src/server.ts'

const main = new URL('../src/main.ts', import.meta.url)
const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

/** The rows of the README's table: a request, and what it answers to each kind of caller. */
const callers = ['nobody', 'viewer', "another's analyst", 'owner', 'admin'] as const
const matrix = [...readme.matchAll(/^\| `(GET|POST|PATCH|DELETE) (\S+)` \|(.+)\|$/gm)].map(([, method = '', path = '', cells = '']) => ({
  method: method as 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path,
  statuses: cells.split('|').map(Number),
}))

describeEngines('the governance server', (engine) => {
  test('fills itself, and answers the lines of its README as written', { timeout: 60_000 }, async () => {
    const example = await startExample(main, await engine.freshUrl(), /^Risks and controls are served/)
    const { faults, ran } = await runReadmeCommands(readme, 'http://127.0.0.1:3000', example.origin)
    expect(faults).toEqual([])
    expect(ran).toBeGreaterThan(12)
    expect(await example.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  })

  test('brings a database of the first release up, whose risks had no likelihood', async () => {
    const databaseUrl = await engine.freshUrl()
    const settings = { databaseUrl, port: 0, logLevel: 'silent', rateLimit: false } as const
    const today = await startServer(settings)
    await loadSample(today.storage)
    // what a migration leaves behind, taken away again
    const takeAway = async ({ kysely }: Session) => {
      await kysely.schema.alterTable('risks').dropColumn('likelihood').execute()
      await kysely.deleteFrom('strongroom_migrations' as never).execute()
    }
    await today.storage.transaction(takeAway, { unaudited: true, actor: 'test' }).finally(() => today.close())

    const upgraded = await startServer(settings)
    expect(await risks.find({ fields: ['likelihood'] })).toEqual(Array.from({ length: 3 }, () => ({ likelihood: 'possible' })))
    await upgraded.close()
  })

  describe('with its sample', () => {
    let app: FastifyInstance
    const tokens: Record<string, string> = {}
    const ids: Record<string, string> = {}
    const ask = async (who: string, method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object) => {
      const token = tokens[who]
      const answer = await app.inject({
        method,
        url,
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        ...(payload && { payload }),
      })
      const isJson = String(answer.headers['content-type']).includes('json')
      return { status: answer.statusCode, body: isJson ? answer.json() : undefined }
    }

    beforeAll(async () => {
      app = await startServer({ databaseUrl: await engine.freshUrl(), port: 0, logLevel: 'silent', rateLimit: false })
      await loadSample(app.storage)
      for (const [who, name] of Object.entries({ viewer: 'vera', "another's analyst": 'tomo', owner: 'ines', admin: 'olga' })) {
        const payload = { email: `${name}@clinic.example`, password: samplePassword }
        tokens[who] = (await app.inject({ method: 'POST', url: '/auth/token', payload })).json().access_token
        ids[who] = (await ask(who, 'GET', '/auth/me')).body.id
      }
    })
    afterAll(() => app.close())

    /** A risk of Inês with a control, a task and a piece of evidence. */
    let count = 0
    const makeRisk = async () => {
      const risk = (await ask('owner', 'POST', '/risks', { title: `Risk ${++count}`, severity: 'low' })).body
      const control = (await ask('owner', 'POST', '/controls', { risk_id: risk.id, title: 'Guard', kind: 'detective' })).body
      const task = (await ask('owner', 'POST', '/tasks', { risk_id: risk.id, title: 'Look' })).body
      const piece = (await ask('owner', 'POST', '/evidence', { control_id: control.id, title: 'Seen', collected_on: '2026-11-30' })).body
      return { risks: risk, controls: control, tasks: task, evidence: piece }
    }
    const bodies = (made: Awaited<ReturnType<typeof makeRisk>>): Record<string, object> => ({
      'POST /risks': { title: `New ${++count}`, severity: 'high', owner_id: ids['owner'] },
      'POST /controls': { risk_id: made.risks.id, title: 'Lock', kind: 'preventive' },
      'POST /tasks': { risk_id: made.risks.id, title: 'Oil the lock' },
      'POST /evidence': { control_id: made.controls.id, title: 'Photograph', collected_on: '2026-11-30' },
      'POST /users': { email: `new${++count}@clinic.example`, password: samplePassword, roles: ['viewer'] },
    })

    test('has a table of 18 requests for 5 kinds of callers', () => {
      expect(matrix.map(({ statuses }) => statuses.length)).toEqual(Array.from({ length: 18 }, () => callers.length))
    })

    test.each(matrix)('answers $method $path as its README says', async ({ method, path, statuses }) => {
      const answered: number[] = []
      for (const who of callers) {
        const made = await makeRisk()
        const component = /^\/(\w+)/.exec(path)?.[1] ?? ''
        const url = path.replace('{id}', made[component as keyof typeof made]?.id)
        const payload = method === 'PATCH' ? { title: `Changed ${++count}` } : bodies(made)[`${method} ${path}`]
        answered.push((await ask(who, method, url, payload)).status)
      }
      expect(answered).toEqual(statuses)
    })

    test('filters and turns pages on every list, whose keys are UUIDs', async () => {
      const made = await makeRisk()
      for (const [component, id] of [...Object.entries(made).map(([name, { id }]) => [name, id]), ['users', ids['owner']]]) {
        expect(id, component).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        expect((await ask('viewer', 'GET', `/${component}?id=${id}`)).body, component).toMatchObject([{ id }])
        const all = (await ask('viewer', 'GET', `/${component}?limit=100&sort=id`)).body.map((row: { id: string }) => row.id)
        expect(all.length, component).toBeGreaterThan(1)
        const pages = await Promise.all(
          all.map((_: string, skip: number) => ask('viewer', 'GET', `/${component}?limit=1&skip=${skip}&sort=id`)),
        )
        expect(
          pages.map(({ body }) => body[0].id),
          component,
        ).toEqual(all)
      }
    })

    test('signs in, goes on with a refresh token, and says who one is', async () => {
      const payload = { email: 'vera@clinic.example', password: samplePassword }
      const { refresh_token } = (await app.inject({ method: 'POST', url: '/auth/token', payload })).json()
      const refreshed = await app.inject({ method: 'POST', url: '/auth/refresh', payload: { refresh_token } })
      const me = await app.inject({ url: '/auth/me', headers: { authorization: `Bearer ${refreshed.json().access_token}` } })
      expect(me.json()).toMatchObject({ email: 'vera@clinic.example', roles: ['viewer'] })
    })

    test('gives what is made to its maker, and lets the owner hand it over', async () => {
      const { risks: risk } = await makeRisk()
      expect(risk.owner_id).toBe(ids['owner'])
      const url = `/risks/${risk.id}`
      // who gives it away could not change it afterwards, so an administrator does it
      expect(await ask('owner', 'PATCH', url, { owner_id: ids["another's analyst"] })).toMatchObject({ status: 403 })
      expect(await ask('admin', 'PATCH', url, { owner_id: ids["another's analyst"] })).toMatchObject({ status: 200 })
      expect(await ask('owner', 'PATCH', url, { title: 'no longer mine' })).toMatchObject({ status: 403 })
    })

    test('makes the digest of a file itself, and keeps both as they are', async () => {
      const { controls: control } = await makeRisk()
      const file = Buffer.from([0, 255, 10, 13])
      const payload = {
        control_id: control.id,
        title: 'Scan',
        collected_on: '2026-11-30',
        file_name: 'scan.bin',
        file: file.toString('base64'),
      }
      const { body } = await ask('owner', 'POST', '/evidence', payload)
      expect(body.file_sha256).toBe(createHash('sha256').update(file).digest('hex'))
      expect(Buffer.from((await ask('viewer', 'GET', `/evidence/${body.id}`)).body.file, 'base64')).toEqual(file)
      for (const change of [{ file: 'AAAA' }, { file_name: 'other.bin' }, { file_sha256: '0'.repeat(64) }])
        expect(await ask('owner', 'PATCH', `/evidence/${body.id}`, change), JSON.stringify(change)).toMatchObject({ status: 422 })
    })

    test('refuses moves that are not declared, and says where the record can go', async () => {
      const { risks: risk } = await makeRisk()
      const refused = await ask('owner', 'PATCH', `/risks/${risk.id}`, { status: 'treated' })
      expect(refused).toMatchObject({
        status: 409,
        body: { code: 'state_conflict', detail: expect.stringContaining('goes to assessed, closed') },
      })
      expect(await ask('owner', 'PATCH', `/risks/${risk.id}`, { status: 'assessed' })).toMatchObject({ status: 200 })
    })

    test('takes a risk away with all that belongs to it, and brings it back', async () => {
      const made = await makeRisk()
      await ask('owner', 'DELETE', `/risks/${made.risks.id}`)
      expect(await ask('owner', 'GET', `/evidence/${made.evidence.id}`)).toMatchObject({ status: 404 })
      const entries = await ask('admin', 'GET', `/db/audit?component=evidence&record_id=${made.evidence.id}`)
      expect(entries.body[0]).toMatchObject({ operation: 'soft_delete', actor: 'ines@clinic.example' })
    })

    test('names who wrote in the log, for every write', async () => {
      const { tasks: task } = await makeRisk()
      await ask('admin', 'PATCH', `/tasks/${task.id}`, { status: 'in_progress' })
      const { body } = await ask('admin', 'GET', `/db/audit?component=tasks&record_id=${task.id}`)
      expect(body.map(({ actor, operation }: { actor: string; operation: string }) => [operation, actor])).toEqual([
        ['update', 'olga@clinic.example'],
        ['create', 'ines@clinic.example'],
      ])
    })
  })
})
