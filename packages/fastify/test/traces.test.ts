import { once } from 'node:events'
import { createServer as createHttpServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { context, propagation, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Fastify from 'fastify'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { bootstrap, createServer } from '../src/index.ts'
import { ada, closeAfterTest, startServer, User } from './support.ts'

/** A span as OTLP carries it in JSON. */
interface SentSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
}
interface Sent {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[] }[]
}

const received: SentSpan[] = []
let collector: Server
let provider: NodeTracerProvider

/** What an operator has: a collector that takes OTLP, and an SDK that sends to it. */
beforeAll(async () => {
  collector = createHttpServer(async (request, response) => {
    const { resourceSpans } = (await json(request)) as Sent
    received.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)))
    response.setHeader('content-type', 'application/json').end('{}')
  }).listen(0, '127.0.0.1')
  await once(collector, 'listening')
  const { port } = collector.address() as AddressInfo
  const exporter = new OTLPTraceExporter({ url: `http://127.0.0.1:${port}/v1/traces` })
  provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] })
})

beforeEach(() => {
  provider.register()
  received.length = 0
})

afterEach(() => {
  for (const api of [trace, context, propagation]) api.disable()
  vi.unstubAllEnvs()
})

afterAll(async () => {
  await provider.shutdown()
  collector.close()
})

const traceId = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${traceId}-b7ad6b7169203331-01`

/** What the collector has of this trace, each span indented below the one that it is in. */
async function tree(): Promise<string[]> {
  await provider.forceFlush()
  const spans = received
    .filter((span) => span.traceId === traceId)
    .toSorted((a, b) => (BigInt(a.startTimeUnixNano) < BigInt(b.startTimeUnixNano) ? -1 : 1))
  const below = (parent: string, depth: number): string[] =>
    spans
      .filter(({ parentSpanId }) => parentSpanId === parent)
      .flatMap(({ spanId, name }) => [`${'  '.repeat(depth)}${name}`, ...below(spanId, depth + 1)])
  const lines = below('b7ad6b7169203331', 0)
  expect(lines).toHaveLength(spans.length)
  return lines
}

async function forget(): Promise<void> {
  await provider.forceFlush()
  received.length = 0
}

describeEngines('the trace of a request', (engine) => {
  test('has its route, transaction, hooks and statements within each other, in the client’s trace, without what was written', async () => {
    const { app, users, tags } = await startServer(engine)
    const known: unknown[] = []
    users.beforeInsert(async ({ session }) => {
      known.push(session.context.traceId)
      await tags.insert({ id: 'canary-tag' })
    })
    const response = await app.inject({
      method: 'POST',
      url: '/users',
      headers: { 'x-user': 'tester', traceparent },
      payload: { ...ada, name: 'canary' },
    })
    expect(response.statusCode, response.body).toBe(201)
    expect(response.headers['x-trace-id']).toBe(traceId)
    expect(response.headers['traceparent']).toMatch(new RegExp(`^00-${traceId}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`))
    expect(known).toEqual([traceId])
    const lines = await tree()
    const about = lines.filter((line) => /^ *(POST|transaction|hook|INSERT)/.test(line))
    expect(about.filter((line, index) => line !== about[index - 1])).toEqual([
      'POST /users',
      '  transaction',
      '    hook beforeInsert users',
      '      INSERT',
      '    INSERT',
      '    hook afterInsert users',
      '  hook afterCommit users',
    ])
    expect(JSON.stringify(received)).not.toContain('canary')
    for (const span of received) expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano))
    const root = received.find(({ name }) => name === 'POST /users')
    expect(root?.attributes).toContainEqual({ key: 'http.response.status_code', value: { intValue: 201 } })
    expect(root?.attributes).toContainEqual({ key: 'strongroom.operation', value: { stringValue: 'create' } })
    const [entry] = await app.storage.audit.find({ component: 'users' })
    const transaction = received.find(({ name }) => name === 'transaction')
    expect(transaction?.attributes).toContainEqual({ key: 'strongroom.transaction.id', value: { stringValue: entry?.transaction_id } })
  })

  test('says what failed, by its code; and a job goes on in the trace of the request that started it', async () => {
    const { app, storage } = await startServer(engine)
    const headers = { 'x-user': 'tester', traceparent }
    await app.inject({ method: 'POST', url: '/users', headers, payload: ada })
    await forget()
    expect((await app.inject({ method: 'POST', url: '/users', headers, payload: ada })).statusCode).toBe(409)
    await provider.forceFlush()
    const failed = received.find(({ name }) => name === 'transaction')
    expect(failed?.attributes).toContainEqual({ key: 'error.type', value: { stringValue: 'unique_conflict' } })
    await forget()
    const started = await app.inject({
      method: 'POST',
      url: '/db/import?table=tags',
      headers: { ...headers, 'content-type': 'text/csv', prefer: 'respond-async' },
      payload: 'id\nred\n',
    })
    await storage.jobs.wait(started.json<{ id: string }>().id)
    await vi.waitFor(async () => expect(await tree()).toContain('  job import'))
    expect(await tree()).toContain('    transaction')
  })
})

describe('tracing', () => {
  const options = () => ({
    accessors: [new ModelAccessor(User, 'users')],
    databaseUrl: 'sqlite::memory:',
    operators: 'loopback' as const,
    port: 0,
    logger: false as const,
  })

  test('is off where OTEL_SDK_DISABLED says so, by its option, and without an SDK; the client’s trace is still known', async () => {
    vi.stubEnv('OTEL_SDK_DISABLED', 'TRUE')
    const disabled = closeAfterTest(await createServer({ ...options(), tracing: true }))
    vi.unstubAllEnvs()
    const forbidden = closeAfterTest(await createServer({ ...options(), tracing: false }))
    trace.disable()
    const alone = closeAfterTest(await createServer(options()))
    for (const app of [disabled, forbidden, alone]) {
      const { headers } = await app.inject({ url: '/users', headers: { traceparent } })
      expect(headers['x-trace-id']).toBe(traceId)
      expect(headers).not.toHaveProperty('traceparent')
      expect((await app.inject('/users')).headers).not.toHaveProperty('x-trace-id')
    }
    await provider.forceFlush()
    expect(received).toEqual([])
  })

  test('of a whole server has a span for every request, and continues the host’s where there is one', async () => {
    const app = closeAfterTest(await createServer(options()))
    await app.inject({ url: '/nowhere', headers: { traceparent } })
    await app.inject({ url: '/users/1/', headers: { traceparent } })
    expect(await tree()).toEqual(['GET none', 'GET /users/:id', '  SELECT'])
    const host = Fastify()
    host.addHook('onRequest', (_request, _reply, done) => {
      const span = trace.getTracer('host').startSpan('host')
      context.with(trace.setSpan(context.active(), span), done)
      span.end()
    })
    await bootstrap(closeAfterTest(host), { accessors: [new ModelAccessor(User, 'users')], databaseUrl: 'sqlite::memory:' })
    await forget()
    const { headers } = await host.inject({ url: '/users', headers: { traceparent } })
    await provider.forceFlush()
    const [outer, inner] = ['host', 'GET /users'].map((name) => received.find((span) => span.name === name))
    expect(inner?.parentSpanId).toBe(outer?.spanId)
    expect(headers['x-trace-id']).toBe(outer?.traceId)
  })
})
