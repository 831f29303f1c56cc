import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeEngines, runReadmeCommands, startExample, tempFolder } from '@strongroom/testkit'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { categories, comments, posts, postTags, tags, users } from '../src/models.ts'
import { loadSample, samplePassword } from '../src/sample.ts'
import { startServer } from '../src/server.ts'

const main = new URL('../src/main.ts', import.meta.url)
const readme = new URL('../README.md', import.meta.url)

describeEngines('the blog', (engine) => {
  test('fills itself once, and answers the lines of its README as written', { timeout: 60_000 }, async () => {
    const databaseUrl = await engine.freshUrl()
    const start = () => startExample(main, databaseUrl, /^The blog is serving/)
    const first = await start()
    const { faults, ran } = await runReadmeCommands(await readFile(readme, 'utf8'), 'http://127.0.0.1:3000', first.origin)
    expect(faults).toEqual([])
    expect(ran).toBeGreaterThan(15)
    expect(await first.kill('SIGTERM')).toEqual({ code: 0, signal: null })

    const second = await start()
    const response = await fetch(`${second.origin}/posts`)
    expect(await response.json()).toMatchObject({ pagination: { total: 6 } })
  })

  test('has logs, rate limits, other origins, health checks and a name as its settings say', async () => {
    const folder = await tempFolder('blog')
    onTestFinished(folder.remove)
    const environment = {
      DATABASE_URL: await engine.freshUrl(),
      APP_NAME: 'Harbour',
      CORS_ORIGINS: 'https://harbour.example',
      RATE_LIMIT_REQUESTS: '3',
      LOG_FILE: join(folder.path, 'blog.log'),
    }
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    onTestFinished(() => void vi.unstubAllEnvs())
    const lines: string[] = []
    const app = await startServer({ port: 0, logger: { stream: { write: (line) => void lines.push(line) } } })
    onTestFinished(() => app.close())
    const get = (url: string) => app.inject({ url, headers: { origin: 'https://harbour.example' } })
    // whoever looks after the machine asks as often as it likes
    for (let times = 0; times < 5; times++) expect((await app.inject('/health')).statusCode).toBe(200)
    expect((await app.inject('/ready')).statusCode).toBe(200)
    const posts = await get('/posts')
    expect(posts.headers).toMatchObject({ 'access-control-allow-origin': 'https://harbour.example', 'x-content-type-options': 'nosniff' })
    expect((await get('/openapi.json')).json().info.title).toBe('Harbour')
    await get('/posts')
    expect(await get('/posts')).toMatchObject({ statusCode: 429 })
    await app.close()
    const [file = ''] = await readdir(folder.path)
    for (const log of [lines.join(''), await readFile(join(folder.path, file), 'utf8')]) expect(log).toContain('"route":"/posts"')
  })

  describe('with its sample', () => {
    let app: FastifyInstance
    const people: Record<string, string> = {}
    const ask = async (who: string | null, method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object) => {
      const headers = who === null ? {} : { authorization: `Bearer ${people[who]}` }
      const options: InjectOptions = { method, url, headers, ...(payload && { payload }) }
      const answer = await app.inject(options)
      return { status: answer.statusCode, ...answer.json() }
    }
    const statusOf = async (...request: Parameters<typeof ask>) => (await ask(...request)).status

    beforeAll(async () => {
      app = await startServer({ databaseUrl: await engine.freshUrl(), port: 0, logLevel: 'silent', rateLimit: false })
      await loadSample(app.storage)
      const addresses = {
        olga: 'harbour.example',
        edda: 'harbour.example',
        ines: 'harbour.example',
        tomo: 'harbour.example',
        reza: 'mail.example',
      }
      for (const [name, host] of Object.entries(addresses)) {
        const payload = { email: `${name}@${host}`, password: samplePassword }
        people[name] = (await app.inject({ method: 'POST', url: '/auth/token', payload })).json().access_token
      }
    })
    afterAll(() => app.close())

    test('shows a draft to its author and to editors, and to nobody else', async () => {
      for (const who of [null, 'reza', 'tomo']) expect(await statusOf(who, 'GET', '/posts/5'), `${who}`).toBe(404)
      for (const who of ['ines', 'edda', 'olga']) expect(await statusOf(who, 'GET', '/posts/5'), who).toBe(200)
      expect(await ask(null, 'GET', '/posts?limit=100')).toMatchObject({ pagination: { total: 5 } })
      expect(await ask('ines', 'GET', '/posts?limit=100')).toMatchObject({ pagination: { total: 6 } })
      // nor by the tags that it has
      expect(await ask('tomo', 'GET', '/post_tags?post_id=5')).toMatchObject({ pagination: { total: 0 } })
    })

    test('lets authors change their own posts, and nobody who is no author write one', async () => {
      expect(await statusOf('tomo', 'PATCH', '/posts/1', { title: 'mine now' })).toBe(403)
      expect(await statusOf('ines', 'PATCH', '/posts/1', { title: 'Five knots' })).toBe(200)
      const post = { title: 'x', slug: 'x', body: 'x', category_id: 1 }
      expect(await statusOf('reza', 'POST', '/posts', post)).toBe(403)
      expect(await statusOf(null, 'POST', '/posts', post)).toBe(401)
      expect(await statusOf('ines', 'POST', '/post_tags', { post_id: 3, tag_id: 1 })).toBe(403)
    })

    test('stamps who added and updated a record, which no request can say', async () => {
      const created = await ask('tomo', 'POST', '/posts', { title: 'Oars', slug: 'oars', body: 'Ash.', category_id: 2 })
      expect(created.data).toMatchObject({ added_by: 4, updated_by: 4, published_at: null, date_added: expect.any(String) })
      const updated = await ask('edda', 'PATCH', `/posts/${created.data.id}`, { body: 'Ash or spruce.' })
      expect(updated.data).toMatchObject({ added_by: 4, updated_by: 2, date_added: created.data.date_added })
      expect(await statusOf('tomo', 'POST', '/posts', { title: 'x', slug: 'y', body: 'x', category_id: 2, added_by: 3 })).toBe(422)
    })

    test('keeps the moment of the first publication', async () => {
      const { data } = await ask('tomo', 'POST', '/posts', { title: 'Varnish', slug: 'varnish', body: 'Thin coats.', category_id: 2 })
      const published = await ask('tomo', 'PATCH', `/posts/${data.id}`, { status: 'published' })
      expect(published.data.published_at).toEqual(expect.any(String))
      await ask('tomo', 'PATCH', `/posts/${data.id}`, { status: 'draft' })
      const again = await ask('tomo', 'PATCH', `/posts/${data.id}`, { status: 'published' })
      expect(again.data.published_at).toBe(published.data.published_at)
    })

    test('takes comments on what the reader can see, and hides them for all but their writer and editors', async () => {
      expect(await statusOf('reza', 'POST', '/comments', { post_id: 5, body: 'early' })).toBe(409)
      const { data } = await ask('reza', 'POST', '/comments', { post_id: 4, body: 'spam' })
      expect(await statusOf('tomo', 'DELETE', `/comments/${data.id}`)).toBe(403)
      expect(await statusOf('edda', 'PATCH', `/comments/${data.id}`, { hidden: true })).toBe(200)
      expect(await statusOf(null, 'GET', `/comments/${data.id}`)).toBe(404)
      expect(await statusOf('reza', 'GET', `/comments/${data.id}`)).toBe(200)
    })

    test('tells addresses and roles of users to administrators alone', async () => {
      expect(Object.keys((await ask('reza', 'GET', '/users/2')).data)).not.toContain('email')
      expect((await ask('olga', 'GET', '/users/2')).data).toMatchObject({ email: 'edda@harbour.example', roles: ['editor'] })
      expect(await statusOf('reza', 'PATCH', '/users/5', { roles: ['admin'] })).not.toBe(200)
      expect(await statusOf('edda', 'GET', '/db/audit')).toBe(403)
    })

    test('says of every record when and by whom it was added and updated', () => {
      for (const { component, model } of [users, categories, tags, posts, postTags, comments]) {
        const names = model.fields.map(({ name }) => name)
        expect(names, component).toEqual(expect.arrayContaining(['date_added', 'date_updated', 'added_by', 'updated_by']))
      }
    })

    test('answers in envelopes with message, status code and details', async () => {
      expect(await ask(null, 'GET', '/tags/1')).toEqual({
        status: 200,
        success: true,
        message: expect.any(String),
        data: expect.anything(),
        pagination: null,
      })
      const refused = await ask('tomo', 'POST', '/posts', { title: '', slug: 'UPPER' })
      expect(refused).toMatchObject({ status: 422, success: false, message: expect.any(String), status_code: 422 })
      const paths = refused.details.errors.map(({ path }: { path: string }) => path)
      expect(paths).toEqual(['title', 'slug'])
    })

    test('has pages of 1 to 100 records, from 0 on', async () => {
      for (const query of ['limit=0', 'limit=101', 'skip=-1'])
        expect(await ask(null, 'GET', `/posts?${query}`), query).toMatchObject({ status: 400, success: false, status_code: 400 })
      expect(await ask(null, 'GET', '/posts?skip=1&limit=2')).toMatchObject({ success: true, pagination: { limit: 2, offset: 1 } })
    })
  })
})
