import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describeEngines } from '@strongroom/testkit'
import Fastify from 'fastify'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { Downloads } from '../src/operators/downloads.ts'
import { begin, listen } from './transfer-support.ts'

beforeAll(async () => {
  vi.stubEnv('TMPDIR', await mkdtemp(join(tmpdir(), 'strongroom-downloads-')))
})
afterAll(() => {
  vi.unstubAllEnvs()
})

describeEngines('downloads', (engine) => {
  test('are four at a time: one too many is 503 with Retry-After, and a place is free when one has ended or was aborted', async () => {
    const server = await listen(engine)
    onTestFinished(() => server.app.close())
    const paths = ['/db/backup.sqlite', '/db/export.zip']
    const open = await Promise.all(
      Array.from({ length: 12 }, async (_none, index) => {
        const request = get(`${server.url}${paths[index % 2]}`)
        const [response] = (await once(request, 'response')) as [IncomingMessage]
        return { request, response }
      }),
    )
    const refused = open.filter(({ response }) => response.statusCode === 503)
    expect(refused.length).toBeGreaterThan(0)
    for (const { response } of refused) {
      expect(response.headers['retry-after']).toBe('10')
      expect(JSON.parse(String(await buffer(response)))).toMatchObject({ code: 'server_busy' })
    }
    // Some are read to their end, and the clients of the others go away.
    const taken = open.filter(({ response }) => response.statusCode === 200)
    for (const [index, { request, response }] of taken.entries()) {
      if (index % 2 === 0) await buffer(response)
      else request.on('error', () => undefined).destroy()
    }
    await vi.waitFor(async () => expect((await fetch(`${server.url}/db/export.zip`)).status).toBe(200), { timeout: 20_000 })
    expect((await fetch(`${server.url}/db/backup.sqlite`, { method: 'HEAD' })).status).toBe(200)
  })

  test('of clients that go away at once leave nothing', async () => {
    const server = await listen(engine)
    onTestFinished(() => server.app.close())
    for (const path of ['/db/backup.sqlite', '/db/export.zip']) {
      for (let round = 0; round < 3; round++) (await begin(server.port, [`GET ${path} HTTP/1.1`])).end().destroy()
      const socket = await begin(server.port, [`GET ${path} HTTP/1.1`])
      socket.resume()
      await once(socket, 'data')
      socket.destroy()
    }
    await vi.waitFor(async () => expect(await server.leftovers()).toEqual([]), { timeout: 20_000 })
    await vi.waitFor(async () => expect((await fetch(`${server.url}/db/export.zip`)).status).toBe(200), { timeout: 20_000 })
  })
})

test('a download whose client takes nothing any more is cut, and one that waits for its next bytes is not', async () => {
  const app = Fastify()
  onTestFinished(() => app.close())
  const downloads = new Downloads(50)
  const piece = Buffer.alloc(1_000_000)
  const goOn = Promise.withResolvers<void>()
  async function* slow(): AsyncGenerator<Buffer> {
    yield piece
    await goOn.promise
    yield piece
  }
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) yield piece
  }
  const cut = Promise.withResolvers<void>()
  app.get('/slow', async (_request, reply) => {
    downloads.begin(reply)
    return reply.send(Readable.from(slow(), { objectMode: false }))
  })
  app.get('/endless', async (_request, reply) => {
    downloads.begin(reply)
    reply.raw.once('close', () => cut.resolve())
    return reply.send(Readable.from(endless(), { objectMode: false }))
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const waiting = fetch(`${url}/slow`).then((response) => response.arrayBuffer())
  const [stalled] = (await once(get(`${url}/endless`), 'response')) as [IncomingMessage]
  stalled.pause()
  await cut.promise
  goOn.resolve()
  expect((await waiting).byteLength).toBe(2 * piece.length)
})
