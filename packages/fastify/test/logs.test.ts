import { once } from 'node:events'
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineModel, ModelAccessor, openStorage } from '@strongroom/core'
import { describeEngines, runScript } from '@strongroom/testkit'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { type CreateServerOptions, createServer } from '../src/index.ts'
import { Redactor } from '../src/logs/redact.ts'
import { closeAfterTest } from './support.ts'

type Line = Readonly<Record<string, unknown>>

const Account = defineModel('accounts', { name: Type.String(), pin: Type.Optional(Type.String()) }, { secret: ['pin'] })
const canary = 'canary-0451'

interface LoggingServer {
  readonly app: FastifyInstance
  readonly accounts: ModelAccessor<typeof Account>
  readonly text: () => string
  /** The lines with this message. */
  readonly lines: (message: string) => Line[]
}

async function serve(options: Partial<CreateServerOptions> = {}): Promise<LoggingServer> {
  let text = ''
  const stream = {
    write: (line: string) => {
      text += line
    },
  }
  const accounts = new ModelAccessor(Account, 'accounts')
  const app = await createServer({ accessors: [accounts], databaseUrl: 'sqlite::memory:', port: 0, logger: { stream }, ...options })
  const lines = (message: string): Line[] =>
    text.split('\n').flatMap((line) => {
      const told = line === '' ? {} : (JSON.parse(line) as Line)
      return told['msg'] === message ? [told] : []
    })
  return { app: closeAfterTest(app), accounts, text: () => text, lines }
}

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const headers = { 'x-user': 'ada', 'x-request-id': 'req-1', traceparent: `00-${trace}-00f067aa0ba902b7-01` }

describeEngines('with DEBUG a server', (engine) => {
  test('logs each statement with its duration, and no value of it', async () => {
    const { app, text, lines } = await serve({ debug: true, logLevel: 'warn', databaseUrl: await engine.freshUrl() })
    await app.inject({ method: 'POST', url: '/accounts', headers, payload: { name: canary, pin: canary } })
    const insert = lines('sql').find(({ sql }) => /insert into "accounts"/i.test(String(sql)))
    expect(insert).toMatchObject({ level: 'debug', duration_ms: expect.any(Number), parameter_kinds: expect.arrayContaining(['text(11)']) })
    expect(text()).not.toContain(canary)
  })

  test('finishes what it has begun when it is asked to stop under load, writes the rest of its log, and ends with 0', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'strongroom-log-'))
    const databaseUrl = await engine.freshUrl()
    const server = runScript(fileURLToPath(new URL('./fixtures/busy-server.ts', import.meta.url)), {
      env: { DATABASE_URL: databaseUrl, PORT: '0', HOST: undefined, LOG_FILE: join(folder, 'busy.log') },
    })
    const [, origin = ''] = await server.line(/^listening at (.*)$/)
    const stored: string[] = []
    const client = async (name: number): Promise<void> => {
      for (let count = 0; ; count++) {
        const id = `${name}-${count}`
        const put = { method: 'PUT', headers: { ...headers, 'x-request-id': id, 'content-type': 'application/json' }, body: '{"text":"x"}' }
        const answer = await fetch(`${origin}/notes/${id}`, put).catch(() => undefined)
        if (answer?.status !== 201) return expect(answer?.status ?? 503).toBe(503)
        stored.push(id)
        if (stored.length === 100) server.process.kill('SIGTERM')
      }
    }
    await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(client))
    expect(await server.ended, server.output()).toEqual({ code: 0, signal: null })
    const notes = new ModelAccessor(defineModel('notes', { text: Type.String() }, { id: 'text' }), 'notes')
    const storage = await openStorage({ url: databaseUrl, accessors: [notes] })
    expect(await notes.count({ id: { in: stored } })).toBe(stored.length)
    await storage.close()
    expect(await readdir(folder)).toEqual(['busy.1.log'])
    const log = (await readFile(join(folder, 'busy.1.log'), 'utf8')).trimEnd().split('\n')
    const logged = log.map((line) => JSON.parse(line) as Line).filter(({ msg, status }) => msg === 'request' && status === 201)
    expect(logged.map(({ request_id: id }) => id)).toEqual(expect.arrayContaining(stored))
  })
})

test('each request has one line that tells who did what, and no query', async () => {
  const { app, lines, text } = await serve()
  await app.inject({ method: 'POST', url: '/accounts?dry_run=false', headers, payload: { name: 'Ada' } })
  await app.inject({ url: `/accounts/1?fields=name`, headers: { 'x-user': 'bob' } })
  await app.inject({ url: `/accounts?name=${canary}` })
  await app.inject({ url: '/db/audit' })
  await app.inject({ url: '/nowhere' })
  await app.inject({ method: 'POST', url: '/batch', headers, payload: {} })
  const told = lines('request')
  const common = { tenant: null, ip: '127.0.0.1', duration_ms: expect.any(Number), request_id: expect.any(String) }
  expect(told).toMatchObject([
    {
      ...common,
      request_id: 'req-1',
      trace_id: trace,
      actor: 'ada',
      component: 'accounts',
      operation: 'create',
      path: '/accounts',
      status: 201,
    },
    {
      ...common,
      actor: 'bob',
      trace_id: null,
      component: 'accounts',
      operation: 'get',
      route: '/accounts/:id',
      path: '/accounts/1',
      status: 200,
    },
    { ...common, actor: null, component: 'accounts', operation: 'list', status: 200 },
    { ...common, component: 'db', operation: 'audit', status: 200 },
    { ...common, component: null, operation: null, route: null, path: '/nowhere', status: 404 },
    { ...common, component: null, operation: 'batch', method: 'POST', status: 422 },
  ])
  expect(text()).not.toContain(canary)
})

test('lines of requests are the ones that pino would write, secrets masked, whatever stands in them', async () => {
  const secretKey = 'k3y"with a quote and ü, long enough for a server'
  const told: Line[][] = []
  // An option of pino's, which says what is so anyway, makes pino write them.
  for (const options of [{}, { messageKey: 'msg' }]) {
    let text = ''
    const write = (line: string): void => {
      text += line
    }
    const { app } = await serve({ secretKey, logger: { stream: { write }, ...options } })
    const hostile = ['a"b\\c', 'Bearer abcdefghijkl', 'postgres://ada:hunter22@host/x', secretKey.slice(0, 20), '\u{1f600}', 'é', "x'; --"]
    for (const word of hostile) {
      const path = encodeURIComponent(word)
      await app.inject({ url: `/accounts/${path}?q=${path}`, headers: { 'x-user': 'ada', 'x-request-id': 'Basic dXNlcjpwYXNz' } })
      await app.inject({ url: `/nowhere/Bearer%20${path}`, headers: { 'x-user': Buffer.from(word).toString('latin1') } })
    }
    await app.inject({ url: '/accounts/1', headers: { ...headers, 'x-request-id': secretKey.replaceAll('ü', 'u') } })
    const lines = text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]))
    told.push(lines.filter(({ msg }) => msg === 'request'))
    expect(text).not.toMatch(/dXNlcjpwYXNz/)
  }
  const still = (line: Line): Line => ({
    ...line,
    time: '',
    duration_ms: 0,
    request_id: String(line['request_id']).replace(/^[0-9a-f-]{36}$/, ''),
  })
  const [byHand = [], byPino = []] = told
  expect(byHand).toHaveLength(15)
  expect(byHand.map(still)).toEqual(byPino.map(still))
  expect(byHand.map((line) => Object.keys(line))).toEqual(byPino.map((line) => Object.keys(line)))
})

test('a request whose client goes has a line, too', async () => {
  const { app, accounts, lines } = await serve()
  const started = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  accounts.beforeInsert(async () => {
    started.resolve()
    await release.promise
  })
  const connected = once(app.server, 'connection') as Promise<[Socket]>
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  const body = '{"name":"Ada"}'
  socket.write(
    `POST /accounts HTTP/1.1\r\nhost: localhost\r\nx-user: ada\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  await started.promise
  const [theirs] = await connected
  socket.destroy()
  await once(theirs, 'close')
  release.resolve()
  await app.close()
  expect(lines('request')).toMatchObject([{ aborted: true, status: null, actor: 'ada', operation: 'create' }])
})

test('secrets are masked by their names and wherever they stand', async () => {
  const key = 'a-secret-key-that-is-long-enough-to-be-one'
  const { app, accounts, text, lines } = await serve({ secretKey: key })
  accounts.beforeInsert(() => {
    throw Object.assign(new Error(`cannot reach postgres://app:${canary}@db/app with Bearer ${canary}-token`), {
      detail: `Key (pin)=(${canary}) already exists.`,
      parameters: [canary],
    })
  })
  expect((await app.inject({ method: 'POST', url: '/accounts', headers, payload: { name: 'A', pin: canary } })).statusCode).toBe(500)
  app.log.info(
    { pin: canary, nested: [{ access_token: canary, 'X-API-Key': canary, count_of_tokens: 3 }], headers: { Cookie: canary } },
    `with ${key}`,
  )
  expect(lines('a request failed')).toMatchObject([
    { request_id: 'req-1', err: { detail: '***', parameters: '***', message: 'cannot reach postgres://app:***@db/app with Bearer ***' } },
  ])
  expect(lines('with ***')).toMatchObject([{ pin: '***', nested: [{ access_token: '***', 'X-API-Key': '***', count_of_tokens: 3 }] }])
  expect(text()).not.toContain(canary)
  expect(text()).not.toContain(key)
})

test('the list of what is masked stays out of the way of everything else', () => {
  const redactor = new Redactor(['pin'], ['short', 'a "quoted" secret'])
  const when = new Date(0)
  expect(redactor.redact({ pinned: true, name: 'x', when, list: [1, { pin: 1, Pin: 'x' }] })).toEqual({
    pinned: true,
    name: 'x',
    when,
    list: [1, { pin: 1, Pin: '***' }],
  })
  expect(redactor.scrub('{"msg":"short a \\"quoted\\" secret http://host:80/a@b"}')).toBe('{"msg":"short *** http://host:80/a@b"}')
})
