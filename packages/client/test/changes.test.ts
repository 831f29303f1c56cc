import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describeEngines } from '@strongroom/testkit'
import { describe, expect, test } from 'vitest'
import { readEvents, type StreamedEvent } from '../src/event-stream.ts'
import { type ChangeEvent, ForbiddenError, NetworkError, StrongroomClientError } from '../src/index.ts'
import { ada, clientOf, closeAfterTest, rejectionOf, startServer, type TestClient } from './support.ts'

async function take<Image>(events: AsyncGenerator<ChangeEvent<Image>, void, undefined>, count: number): Promise<ChangeEvent<Image>[]> {
  const taken: ChangeEvent<Image>[] = []
  for await (const event of events) {
    taken.push(event)
    if (taken.length === count) break
  }
  return taken
}

describeEngines('changes that a client follows', (engine) => {
  test('come once and in order, typed by the model, and the server is let go of at the end', async () => {
    const { app, client, users } = await startServer(engine, { auth: false, operators: 'loopback' })
    const { id } = await users.insert(ada)
    await users.update(id, { age: 36 })
    const [made, changed] = await take(client.users.changes({ after: 'start' }), 2)
    expect([made?.id, changed?.id]).toEqual(['1:1', '1:2'])
    if (changed?.type !== 'change') return expect.unreachable('the record was changed')
    expect(changed.entry.after?.age).toBe(36)
    expect(changed.entry).toMatchObject({ operation: 'update', record_id: id, position: 2, before: { age: null, visits: '0' } })
    const next = take(client.db.changes({ after: changed.id }), 1)
    await users.delete(id)
    expect(await next).toMatchObject([{ type: 'change', id: '1:3', entry: { operation: 'soft_delete' } }])
    const ending = new AbortController()
    const waiting = take(client.users.changes({ signal: ending.signal }), 1)
    ending.abort()
    expect(await waiting).toEqual([])
    await app.close()
    expect(await rejectionOf(take(client.users.changes(), 1))).toBeInstanceOf(NetworkError)
  })

  test('are refused as other requests are', async () => {
    const { client, baseUrl } = await startServer(engine, { auth: false, operators: () => false })
    expect(await rejectionOf(take(client.users.changes({ after: 'x' }), 1))).toMatchObject({ code: 'invalid_query', status: 400 })
    expect(await rejectionOf(take(client.db.changes(), 1))).toBeInstanceOf(ForbiddenError)
    expect(await rejectionOf(take(clientOf(`${baseUrl}/openapi.json?`).users.changes(), 1))).toMatchObject({ code: 'unexpected_answer' })
  })
})

describe('a connection that is lost', () => {
  type Handler = (response: ServerResponse) => void
  const serve = async (handlers: readonly Handler[]): Promise<{ client: TestClient; urls: string[] }> => {
    const urls: string[] = []
    const server = createServer(({ url = '' }, response) => handlers[Math.min(urls.push(url), handlers.length) - 1]?.(response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closeAfterTest({
      close: () => {
        server.closeAllConnections()
        return new Promise((resolve) => server.close(resolve))
      },
    })
    const { port } = server.address() as AddressInfo
    return { client: clientOf(`http://127.0.0.1:${port}`), urls }
  }
  const change = (position: number): string => `id: 1:${position}\nevent: change\ndata: ${JSON.stringify({ position })}\n\n`
  const stream =
    (text: string, end: 'end' | 'destroy' | undefined): Handler =>
    (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(text)
      if (end) setTimeout(() => response[end](), 20)
    }
  const refuse =
    (status: number, code: string): Handler =>
    (response) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ code, detail: 'No.', status }))

  test('is made again where the last event was, also after a place without one, a half event and refusals that pass', async () => {
    const { client, urls } = await serve([
      stream('retry: 1\nid: 1:6\n\n', 'end'),
      stream(`${change(7)}${change(8)}id: 1:9\nevent: cha`, 'destroy'),
      refuse(503, 'server_busy'),
      (response) => response.destroy(),
      stream(`${change(9)}id: 1:20\n\n: nothing\n\n`, 'end'),
      stream(`id: 2:20\nevent: reset\ndata: {"epoch":2}\n\n${change(21).replace('1:', '2:')}`, undefined),
    ])
    const events = await take(client.users.changes(), 5)
    expect(events.map(({ type, id }) => [type, id])).toEqual([
      ['change', '1:7'],
      ['change', '1:8'],
      ['change', '1:9'],
      ['reset', '2:20'],
      ['change', '2:21'],
    ])
    const placed = (place: string): string => `/users/changes?after=${encodeURIComponent(place)}`
    expect(urls.map(decodeURIComponent)).toEqual(
      ['/users/changes', placed('1:6'), placed('1:8'), placed('1:8'), placed('1:8'), placed('1:20')].map(decodeURIComponent),
    )
  })

  test('is not made again where the server refuses for good', async () => {
    const { client, urls } = await serve([stream(change(1), 'end'), refuse(410, 'gone')])
    const events = client.users.changes()
    expect((await events.next()).value).toMatchObject({ id: '1:1' })
    expect(await rejectionOf(events.next())).toMatchObject({ code: 'gone', status: 410 })
    expect(urls).toHaveLength(2)
  })

  test('is not made again where the first one was refused, or answers no events', async () => {
    const busy = await serve([refuse(503, 'server_busy')])
    expect(await rejectionOf(take(busy.client.users.changes(), 1))).toMatchObject({ code: 'server_busy' })
    const other = await serve([(response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>')])
    expect(await rejectionOf(take(other.client.users.changes(), 1))).toBeInstanceOf(StrongroomClientError)
    expect([busy.urls.length, other.urls.length]).toEqual([1, 1])
  })
})

test('events are read as the standard says, wherever the stream is cut into pieces', async () => {
  const text = 'id:1\r\ndata: a\r\ndata:b\r\r: comment\nid\ndata\n\nevent: x\ndata:  é\n\nid: \0\ndata: c\n\ndata: unfinished'
  const bytes = new TextEncoder().encode(text)
  const expected = [
    { id: '1', name: 'message', data: 'a\nb' },
    { id: '', name: 'message', data: '' },
    { id: '', name: 'x', data: ' é' },
    { id: '', name: 'message', data: 'c' },
  ]
  for (let size = 1; size <= bytes.length; size++) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.slice(index * size, (index + 1) * size))
    const events: StreamedEvent[] = []
    for await (const event of readEvents(ReadableStream.from(pieces) as ReadableStream<Uint8Array>)) events.push(event)
    expect(events, String(size)).toEqual(expected)
  }
})
