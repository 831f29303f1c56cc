import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import {
  type ClientOptions,
  ForbiddenError,
  NetworkError,
  StrongroomClientError,
  TimeoutError,
  TooManyRequestsError,
  UnauthorizedError,
  UnavailableError,
} from '../src/index.ts'
import { patienceOf, readRetryAfter, waitBeforeNext } from '../src/retry.ts'
import { ada, clientOf, closeAfterTest, rejectionOf, startServer, type TestClient } from './support.ts'

/** A request whose body has come. */
type Received = Pick<IncomingMessage, 'method' | 'url' | 'headers'> & { readonly body: () => Buffer }

type Handler = (response: ServerResponse, request: Received) => void

interface Stub {
  readonly client: TestClient
  /** The requests that came, in order. */
  readonly requests: Received[]
}

/** A server that answers the first request with the first handler, and so on; the last handler answers the rest. */
async function serve(handlers: readonly Handler[], options: Partial<ClientOptions> = {}): Promise<Stub> {
  const requests: Received[] = []
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    const { method, url, headers } = incoming
    const received: Received = { method, url, headers, body: () => Buffer.concat(chunks) }
    const handler = handlers[Math.min(requests.push(received), handlers.length) - 1]
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk)).once('end', () => handler?.(response, received))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closeAfterTest({
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  })
  // an address of IPv4 is an object
  const { port } = server.address() as AddressInfo
  return { client: clientOf(`http://127.0.0.1:${port}`, { retries: { attempts: 4, delay: 1 }, ...options }), requests }
}

const json =
  (status: number, body: object, headers: Record<string, string> = {}): Handler =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }
const refuse = (status: number, code: string, headers: Record<string, string> = {}): Handler =>
  json(status, { code, detail: 'Not now.', status, request_id: 'r-1' }, headers)
const record = json(200, { id: 'a', title: 'Hello', owner_id: null })
const cut: Handler = (response) => response.destroy()
const cutInside: Handler = (response) => {
  response.writeHead(200, { 'content-length': '1000' }).write('{"id":', () => response.destroy())
}
const silent: Handler = () => undefined

/** Hands a request on, and the answer back, or cuts the connection in its place. */
function forward(baseUrl: string, { method, url, headers, body }: Received, response: ServerResponse, cuts: boolean): void {
  const onward = { method: method ?? 'GET', headers: { ...headers, connection: 'close' } }
  const upstream = request(`${baseUrl}${url}`, onward, (answer) => {
    if (cuts) answer.resume().once('end', () => response.destroy())
    else answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers))
  })
  upstream.end(body())
}

test.each([
  ['429', refuse(429, 'too_many_requests')],
  ['503', refuse(503, 'storage_busy')],
  ['503 without a problem', (response: ServerResponse) => void response.writeHead(503).end('<h1>down</h1>')],
  ['a connection that is cut', cut],
  ['an answer that is cut', cutInside],
])('after %s a write is sent again with the same key, and a read again', async (_what, handler) => {
  const { client, requests } = await serve([handler, handler, record, handler, record])
  expect(await client.posts.update('a', { title: 'Hello' })).toMatchObject({ title: 'Hello' })
  expect(await client.posts.get('a')).toMatchObject({ title: 'Hello' })
  expect(requests.map(({ method }) => method)).toEqual(['PATCH', 'PATCH', 'PATCH', 'GET', 'GET'])
  const [first, ...others] = requests.slice(0, 3).map(({ headers }) => headers['idempotency-key'])
  expect(first).toMatch(/^[\w-]{16,}$/)
  expect(others).toEqual([first, first])
})

test('two calls have two keys', async () => {
  const { client, requests } = await serve([record])
  await client.posts.update('a', { title: 'x' })
  await client.posts.update('a', { title: 'x' })
  expect(new Set(requests.map(({ headers }) => headers['idempotency-key'])).size).toBe(2)
})

test.each([
  ['429', refuse(429, 'too_many_requests'), TooManyRequestsError, 429],
  ['503', refuse(503, 'storage_unavailable'), UnavailableError, 503],
  ['502 of a proxy', (response: ServerResponse) => void response.writeHead(502).end('bad gateway'), UnavailableError, 502],
  ['lost connections', cut, NetworkError, undefined],
  ['silence', silent, TimeoutError, undefined],
])('after the last try the error is that of %s', async (_what, handler, Class, status) => {
  let tries = 0
  const headers = () => {
    tries++
    return {}
  }
  const { client } = await serve([handler], { retries: { attempts: 3, delay: 1 }, timeout: handler === silent ? 50 : 30_000, headers })
  const error = await rejectionOf(client.posts.list())
  expect(error).toBeInstanceOf(Class)
  expect(error).toBeInstanceOf(StrongroomClientError)
  expect(error).toHaveProperty('status', status)
  expect(tries).toBe(3)
})

test.each([
  [400, 'invalid_query'],
  [409, 'unique_conflict'],
  [409, 'state_conflict'],
  [412, 'precondition_failed'],
  [422, 'validation_failed'],
  [500, 'internal_error'],
  [507, 'storage_full'],
])('%d %s is not tried again', async (status, code) => {
  const { client, requests } = await serve([refuse(status, code), record])
  expect(await rejectionOf(client.posts.update('a', { title: 'x' }))).toMatchObject({ status, code, requestId: 'r-1', detail: 'Not now.' })
  expect(requests).toHaveLength(1)
})

test('a conflict with its own first try, which still runs in the server, is waited out', async () => {
  const { client, requests } = await serve([cut, refuse(409, 'state_conflict'), refuse(409, 'state_conflict'), record])
  expect(await client.posts.update('a', { title: 'Hello' })).toMatchObject({ id: 'a' })
  expect(requests).toHaveLength(4)
})

test.each([
  ['502 of a proxy', (response: ServerResponse) => void response.writeHead(502).end('bad gateway')],
  ['504 of a proxy', (response: ServerResponse) => void response.writeHead(504).end()],
  ['a commit of which nobody knows', refuse(503, 'commit_unknown')],
] as const)('a conflict with a first try that was answered by %s is waited out, too', async (_what, handler) => {
  const { client, requests } = await serve([handler, refuse(409, 'state_conflict'), record])
  expect(await client.posts.update('a', { title: 'Hello' })).toMatchObject({ id: 'a' })
  expect(requests).toHaveLength(3)
})

const inAnHour = () => new Date(Date.now() + 3_600_000).toUTCString()

test.each([
  ['seconds', '3600'],
  ['a date', inAnHour()],
])('a Retry-After in %s that is too far away is not waited for', async (_form, retryAfter) => {
  const { client, requests } = await serve([refuse(503, 'storage_busy', { 'retry-after': retryAfter }), record])
  expect(await rejectionOf(client.posts.get('a'))).toBeInstanceOf(UnavailableError)
  expect(requests).toHaveLength(1)
})

test.each([
  ['2', 2_000],
  [' 0 ', 0],
  ['Mon, 23 Nov 2026 10:00:05 GMT', 5_000],
  ['Mon, 23 Nov 2026 09:00:00 GMT', 0],
  ['soon', undefined],
  [null, undefined],
])('Retry-After: %s asks for %s ms', (text, milliseconds) => {
  expect(readRetryAfter(text, Date.parse('2026-11-23T10:00:00Z'))).toBe(milliseconds)
})

test('waits grow up to a limit, at random, and never end before the server wants', () => {
  const patience = patienceOf({ attempts: 10, delay: 100, maxDelay: 1_000 })
  const waits = (tried: number, retryAfter?: number) => Array.from({ length: 200 }, () => waitBeforeNext(patience, tried, retryAfter) ?? -1)
  expect(Math.min(...waits(1))).toBeGreaterThanOrEqual(0)
  expect(Math.max(...waits(1))).toBeLessThanOrEqual(100)
  expect(Math.max(...waits(3))).toBeGreaterThan(100)
  expect(Math.max(...waits(3))).toBeLessThanOrEqual(400)
  expect(Math.max(...waits(9))).toBeLessThanOrEqual(1_000)
  expect(new Set(waits(5)).size).toBeGreaterThan(100)
  expect(Math.min(...waits(1, 5_000))).toBeGreaterThanOrEqual(5_000)
  expect(waitBeforeNext(patience, 10, undefined)).toBeUndefined()
})

test('a signal ends a request, and the wait for the next try, with its own reason', async () => {
  const reason = new Error('the user went away')
  for (const handler of [silent, refuse(503, 'storage_busy', { 'retry-after': '30' })]) {
    const ending = new AbortController()
    const { client, requests } = await serve([
      (response, received) => {
        handler(response, received)
        setImmediate(() => ending.abort(reason))
      },
    ])
    expect(await rejectionOf(client.posts.get('a', { signal: ending.signal }))).toBe(reason)
    expect(await rejectionOf(client.posts.get('a', { signal: ending.signal }))).toBe(reason)
    expect(requests).toHaveLength(1)
  }
})

test('answers that are none of such a server are errors that say so', async () => {
  const page: Handler = (response) => response.writeHead(200).end('<html>log in here</html>')
  const { client } = await serve([page, record, record, json(401, { error: 'who?' }), json(403, {}), json(404, { error: 'nothing' })])
  expect(await rejectionOf(client.posts.get('a'))).toMatchObject({ code: 'unexpected_answer', status: 200 })
  expect(await rejectionOf(client.posts.list())).toMatchObject({ code: 'unexpected_answer' })
  expect(await rejectionOf(client.batch([]))).toMatchObject({ code: 'unexpected_answer' })
  expect(await rejectionOf(client.posts.get('a'))).toBeInstanceOf(UnauthorizedError)
  expect(await rejectionOf(client.posts.get('a'))).toBeInstanceOf(ForbiddenError)
  expect(await rejectionOf(client.posts.get('a'))).toMatchObject({ code: 'unexpected_answer', status: 404 })
})

test('a bare answer is refused by a client that expects envelopes', async () => {
  const { client } = await serve([record], { responses: 'envelope' })
  expect(await rejectionOf(client.posts.get('a'))).toMatchObject({ code: 'unexpected_answer' })
})

test('a code that is newer than the client is the plain class', async () => {
  const { client } = await serve([refuse(409, 'tenant_conflict')])
  const error = await rejectionOf(client.posts.get('a'))
  expect(error).toMatchObject({ name: 'StrongroomClientError', code: 'tenant_conflict', status: 409 })
})

describeEngines('a server behind a line that cuts every other answer', (engine) => {
  test('does each write exactly once', async () => {
    const { baseUrl, client: direct } = await startServer(engine)
    let answers = 0
    const line: Handler = (response, request) => forward(baseUrl, request, response, answers++ % 2 === 0)
    const { client } = await serve([line])
    const user = await client.users.create(ada)
    for (let round = 1; round <= 10; round++) {
      const read = await client.users.get(user.id)
      if (read) await client.users.update(read, { age: (read.age ?? 0) + 1 })
    }
    expect((await direct.users.list()).records).toMatchObject([{ name: 'Ada', age: 10 }])
  })
})

test('an ETag that a compressing proxy made weak is still that version', async () => {
  const { client, requests } = await serve([json(200, { id: 'a' }, { etag: 'W/"v1"' })])
  const post = await client.posts.get('a')
  if (post) await client.posts.update(post, { title: 'x' })
  expect(requests[1]?.headers['if-match']).toBe('"v1"')
})
