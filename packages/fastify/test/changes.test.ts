import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { defineModel, ModelAccessor } from '@strongroom/core'
import { describeEngines, type TestEngine } from '@strongroom/testkit'
import Fastify, { type FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { expect, onTestFinished, test } from 'vitest'
import { OpenFeeds } from '../src/changes/open-feeds.ts'
import { type BootstrapOptions, bootstrap } from '../src/index.ts'
import { Events, told } from './event-support.ts'
import { startServer } from './support.ts'

const Note = defineModel('notes', { text: Type.String(), owner: Type.String() })

describeEngines('the feed of changes over HTTP', (engine) => {
  const listen = async (options: Partial<BootstrapOptions> = {}) => {
    const app = Fastify({ forceCloseConnections: false })
    onTestFinished(() => app.close())
    const notes = new ModelAccessor(Note, 'notes')
    const databaseUrl = await engine.freshUrl()
    await bootstrap(app, {
      accessors: [notes],
      databaseUrl,
      auth: false,
      operators: 'loopback',
      systemRoutes: { metrics: false },
      ...options,
    })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    const add = (text: string, owner = 'ann') => notes.insert({ text, owner })
    return { app, notes, url, add }
  }
  const json = { accept: 'application/json' }

  test('tells changes as server-sent events, and goes on after the last one that was received', async () => {
    const { notes, url, add } = await listen()
    await add('one')
    const feed = await Events.open(`${url}/notes/changes?after=start`)
    expect(Object.fromEntries(feed.response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-accel-buffering': 'no',
      connection: 'close',
    })
    const [first] = await feed.next(1)
    expect(first).toMatchObject({ id: '1:1', event: 'change' })
    expect(JSON.parse(first?.['data'] ?? '')).toMatchObject({
      operation: 'create',
      component: 'notes',
      position: 1,
      after: { text: 'one' },
    })
    await add('two')
    expect((await feed.next(1)).map(told)).toEqual([['1:2', 'create', 2]])
    feed.close()
    await notes.update(1, { text: 'three' })
    await notes.delete(2)
    // The header is newer than the URL.
    const again = await Events.open(`${url}/db/changes?after=start`, { 'last-event-id': '1:2' })
    expect((await again.next(2)).map(told)).toEqual([
      ['1:3', 'update', 1],
      ['1:4', 'delete', 2],
    ])
    again.close()
  })

  test('begins now, and says at once where that is: whoever loses the connection before the first change misses nothing', async () => {
    const { app, url, add } = await listen()
    await add('before')
    await app.storage.audit.waitUntilSealed()
    const reader = Readable.fromWeb((await fetch(`${url}/db/changes`)).body as never).setEncoding('utf8')
    onTestFinished(() => void reader.destroy())
    const [text] = (await once(reader, 'data')) as [string]
    expect(text).toBe('retry: 1000\nid: 1:1\n\n')
  })

  test('answers the next changes as JSON, or waits for one', async () => {
    const { url, add } = await listen()
    const ask = async (path: string, headers: Readonly<Record<string, string>> = {}) =>
      (await fetch(`${url}${path}`, { headers: { ...json, ...headers } })).json() as Promise<{
        changes: { record_id: number }[]
        next: string
      }>
    const started = await ask('/db/changes', { prefer: 'wait=0' })
    expect(started).toEqual({ changes: [], next: '1:0', reset: false })
    const waiting = ask(`/notes/changes?after=${started.next}`, { prefer: 'wait=30' })
    await add('one')
    const first = await waiting
    expect(first).toMatchObject({ changes: [{ record_id: 1, position: 1, sealed: true }], next: '1:1', reset: false })
    for (const text of ['two', 'three']) await add(text)
    expect((await ask('/db/changes?after=start&limit=1')).next).toBe('1:1')
    const seen: number[] = []
    for (let { next } = started; seen.length < 3; ) {
      const page = await ask(`/notes/changes?after=${next}&limit=2`)
      seen.push(...page.changes.map(({ record_id: id }) => id))
      next = page.next
    }
    expect(seen).toEqual([1, 2, 3])
    expect(await ask('/db/changes?after=7:7', { prefer: 'respond-async' })).toMatchObject({ changes: [], reset: true })
  })

  test('tells that the database was restored', async () => {
    const { app, url, add } = await listen()
    await add('kept')
    const backup = Buffer.from(await (await fetch(`${url}/db/backup.sqlite`)).arrayBuffer())
    await add('lost')
    await app.storage.audit.waitUntilSealed()
    const feed = await Events.open(`${url}/db/changes?after=1:1`)
    expect((await feed.next(1)).map(told)).toEqual([['1:2', 'create', 2]])
    const headers = { 'content-type': 'application/octet-stream', 'x-user': 'operator' }
    expect((await fetch(`${url}/db/restore`, { method: 'POST', body: backup, headers })).status).toBe(200)
    expect((await feed.next(2)).map(told)).toEqual([
      ['reset', { epoch: 2 }],
      ['2:3', 'restore_database', null],
    ])
    feed.close()
  })

  test('closes with the server, and does not hold it up', async () => {
    const { app, url, add } = await listen()
    const feeds = await Promise.all(['/notes/changes', '/db/changes'].map((path) => Events.open(`${url}${path}`)))
    await add('one')
    for (const feed of feeds) expect(await feed.next(1)).toHaveLength(1)
    const arrived = once(app.server, 'request')
    const polled = fetch(`${url}/db/changes`, { headers: { ...json, prefer: 'wait=30' } })
    await arrived
    await app.close()
    for (const feed of feeds) expect(await feed.next(1)).toEqual([])
    expect(await (await polled).json()).toMatchObject({ changes: [], reset: false })
  })

  test('refuses what cannot be understood, and answers the headers of HEAD without a body', async () => {
    const { url } = await listen()
    for (const query of ['after=x', 'after=1', 'after=', 'after=-1:2', 'limit=0', 'limit=1001', 'colour=red', 'after=1:1&after=1:2']) {
      expect((await fetch(`${url}/notes/changes?${query}`)).status, query).toBe(400)
    }
    expect((await fetch(`${url}/notes/changes`, { headers: { 'last-event-id': 'x' } })).status).toBe(400)
    const head = await fetch(`${url}/notes/changes`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
    expect(head.headers.get('content-length')).toBeNull()
  })

  test('answers the form that is accepted rather', async () => {
    const { url } = await listen()
    const formOf = async (accept: string) => {
      const { headers } = await fetch(`${url}/notes/changes`, { method: 'HEAD', headers: { accept } })
      return headers.get('content-type')?.split(';', 1)[0]
    }
    const [asJson, asEvents] = ['application/json', 'text/event-stream']
    for (const [accept, form] of [
      ['*/*', asEvents],
      ['application/json, text/plain, */*', asJson],
      ['Application/JSON; charset=utf-8', asJson],
      ['text/event-stream, application/json', asEvents],
      ['text/event-stream;q=0, application/json', asJson],
      ['application/json;q=0.5, text/event-stream;q=0.4', asJson],
      ['application/json; Q=0.4 ,text/event-stream; q=0.5', asEvents],
      ['application/json;q=0', asEvents],
      ['application/json;q=nonsense', asJson],
    ] as const)
      expect([accept, await formOf(accept)]).toEqual([accept, form])
  })
})

test('a reader that takes nothing is cut off, and one for whom there is nothing is not', async () => {
  const feeds = new OpenFeeds(50)
  const piece = Buffer.alloc(100_000)
  const server = createServer((request, response) => {
    // The slice of a reply that feeds look at.
    const reply = { raw: response } as unknown as FastifyReply
    feeds.begin(reply, undefined)
    feeds.cutSlow(reply)
    response.write('retry: 1\n\n')
    if (request.url === '/flood') for (let count = 0; count < 300; count++) response.write(piece)
    else setTimeout(() => response.end('id: 1:1\n\n'), 400)
  })
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const ask = async (path: string) => (await once(get({ port, host: '127.0.0.1', path, agent: false }), 'response'))[0] as IncomingMessage
  const quiet = await ask('/quiet')
  const flood = await ask('/flood')
  flood.pause()
  const closed = new Promise((resolve) => server.once('connection', (socket) => socket.once('close', resolve)))
  const watched = get({ port, host: '127.0.0.1', path: '/flood', agent: false }, (incoming) => void incoming.pause())
  watched.on('error', () => undefined)
  await closed
  expect((await quiet.toArray()).join('')).toContain('id: 1:1')
  flood.on('error', () => undefined).destroy()
  watched.destroy()
})

describeEngines('the feed in an envelope', (engine: TestEngine) => {
  test('has its changes in data', async () => {
    const server = await startServer(engine, { responses: 'envelope' })
    await server.users.insert({ name: 'Ada', email: 'ada@example.com' })
    await server.storage.audit.waitUntilSealed()
    const answer = await server.app.inject({ url: '/users/changes?after=start', headers: { accept: 'application/json' } })
    expect(answer.json()).toMatchObject({
      success: true,
      data: { changes: [{ record_id: 1 }], next: '1:1', reset: false },
      pagination: null,
    })
  })
})
