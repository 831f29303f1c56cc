import { generateKeyPairSync } from 'node:crypto'
import type { ResponseStyle } from '@strongroom/contract'
import { describeEngines, type TestEngine } from '@strongroom/testkit'
import { checkAnswer, operationsOf } from '@strongroom/testkit/openapi-checker'
import type { InjectOptions } from 'fastify'
import { describe, expect, test, vi } from 'vitest'
import { startServer, type TestServer } from './support.ts'

/** What the walk reads of a document. */
interface Parameter {
  readonly name: string
  readonly in: string
  readonly explode?: boolean
  readonly example?: unknown
}
interface Operation {
  readonly parameters: readonly (Parameter & { readonly $ref?: string })[]
  readonly requestBody?: { readonly content: Record<string, { readonly examples: Record<string, { readonly value: unknown }> }> }
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { readonly parameters: Record<string, Parameter>; readonly schemas: Record<string, unknown> }
}

/** Calls operations of a server and holds each answer against its document. */
class Walk {
  readonly seen = new Map<string, Set<number>>()
  readonly faults: string[] = []
  private readonly server: TestServer
  readonly document: Document
  /** The same document without records of the past. */
  private readonly present: Document

  constructor(server: TestServer, document: Document) {
    this.server = server
    this.document = document
    this.present = JSON.parse(JSON.stringify(document).replaceAll(/,\{"\$ref":"#\/components\/schemas\/[\w-]+\.past"\}/g, ''))
  }

  /** Sends a request that belongs to the path of the document; answers the data, out of its envelope. */
  async call(
    method: string,
    path: string,
    status: number,
    request: Partial<InjectOptions> & { readonly id?: unknown; readonly query?: string } = {},
  ) {
    const { id, query, ...rest } = request
    const url = `${path.replace('{id}', encodeURIComponent(String(id)))}${query === undefined ? '' : `?${query}`}`
    const isWrite = method !== 'GET'
    const headers = {
      ...(isWrite && { 'x-user': 'tester' }),
      ...(rest.payload !== undefined && { 'content-type': 'application/json' }),
      ...rest.headers,
    }
    // The methods are those of the document.
    const begun = await this.server.app.inject({ ...rest, method: method as 'GET', url, headers, payloadAsStream: true })
    const isFeed = String(begun.headers['content-type']).startsWith('text/event-stream')
    // A feed goes on for ever: the walk reads how it begins.
    const chunks = await (isFeed ? begun.stream().take(1) : begun.stream()).toArray()
    const body = Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))).toString()
    const response = { statusCode: begun.statusCode, headers: begun.headers, body }
    if (response.statusCode !== status) this.faults.push(`${method} ${url}: ${response.statusCode} instead of ${status}: ${response.body}`)
    // Only where the past is asked for may a record be less than its model wants.
    const document = /(^|&)at=/.test(query ?? '') || path.endsWith('/diff') ? this.document : this.present
    this.faults.push(
      ...checkAnswer(document, { method, path, status: response.statusCode, headers: response.headers, body: response.body }),
    )
    const operation = `${method} ${path}`
    this.seen.set(operation, (this.seen.get(operation) ?? new Set()).add(response.statusCode))
    const isJson = String(response.headers['content-type']).startsWith('application/json')
    const answer: Record<string, unknown> = isJson && response.body !== '' ? JSON.parse(response.body) : {}
    return { data: 'data' in answer && 'success' in answer ? answer['data'] : answer, headers: response.headers }
  }

  /** A backup of the server. */
  async backup(): Promise<Buffer> {
    return (await this.server.app.inject('/db/backup.sqlite')).rawPayload
  }

  /** Holds who inserts a tag of this id until the answer is called. */
  holdTag(id: string): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.server.tags.beforeInsert(({ record }) => (record.id === id ? promise : undefined))
    return resolve
  }

  /** Whether somebody has asked a job to end, or it has. */
  async isCancelled(id: string): Promise<boolean> {
    return (await this.server.storage.jobs.get(id))?.cancelRequested === true
  }

  /** An example of the document for a body. */
  example(method: string, path: string, name: string): Record<string, unknown> {
    const [media] = Object.values(this.document.paths[path]?.[method.toLowerCase()]?.requestBody?.content ?? {})
    return structuredClone(media?.examples[name]?.value) as Record<string, unknown>
  }

  /** The examples of the parameters of a query, each as a query of its own; without those that are shared by several routes if need be. */
  queries(path: string, which: 'all' | 'own' = 'all'): string[] {
    // A page is asked for alike in both styles.
    if (this.document.components.schemas['api.failure']) return []
    const parameters = this.document.paths[path]?.['get']?.parameters ?? []
    return parameters.flatMap((given) => {
      if (which === 'own' && given.$ref) return []
      const { name, in: place, example, explode } = given.$ref ? this.resolved(given.$ref) : given
      if (place !== 'query' || example === undefined || name === 'after' || name === 'before' || name === 'at') return []
      const values = Array.isArray(example) ? (explode ? example : [example.join(',')]) : [example]
      return [values.map((value) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`).join('&')]
    })
  }

  private resolved(pointer: string): Parameter {
    const found = this.document.components.parameters[pointer.slice('#/components/parameters/'.length)]
    if (!found) throw new Error(`${pointer} leads nowhere`)
    return found
  }
}

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const unreadable = { headers: { 'x-request-id': 'ä' } }

/** Milliseconds: hundreds of requests, on a processor that may be busy with other tests. */
const slow = 120_000

describeEngines('every operation of the document', (engine) => {
  describe.each(['bare', 'envelope'] as const)('of a server whose answers are %s', (responses) => {
    test(
      'is called, and answers what the document says, whether it succeeds or fails',
      async () => {
        const walk = await startWalk(engine, responses)
        for (const component of ['users', 'products', 'tags']) await walkComponent(walk, component)
        await walkTheRest(walk)
        expect(walk.faults).toEqual([])
        const missing = operationsOf(walk.document).flatMap(({ method, path, statuses }) => {
          const seen = walk.seen.get(`${method} ${path}`) ?? new Set<number>()
          const successes = statuses.filter((status) => status < 400 && !seen.has(status)).map((status) => `${method} ${path} ${status}`)
          return [...seen].some((status) => status >= 400) ? successes : [...successes, `${method} ${path} 4xx`]
        })
        expect(missing).toEqual([])
      },
      slow,
    )
  })
})

const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string

async function startWalk(engine: TestEngine, responses: ResponseStyle): Promise<Walk> {
  const server = await startServer(engine, { responses, operators: 'loopback', auditCheckpoints: { key } })
  return new Walk(server, (await server.app.inject('/openapi.json')).json())
}

/** The id of a record: the field that ids have in all three models. */
function idIn(data: unknown): unknown {
  return (data as { readonly id: unknown }).id
}

async function walkComponent(walk: Walk, component: string): Promise<void> {
  const all = `/${component}`
  const one = `/${component}/{id}`
  const id = await walkCreation(walk, all)
  await walkReading(walk, all, one, id)
  await walkChanges(walk, all, one, id)
  await walkThePast(walk, all, one, id)
  await walkRemoval(walk, all, one, id)
}

async function walkCreation(walk: Walk, all: string): Promise<unknown> {
  const body = walk.example('POST', all, 'newRecord')
  // The record that it points to is another example.
  if ('owner' in body) body['owner'] = null
  const key = { 'idempotency-key': `create ${all}` }
  const { data, headers } = await walk.call('POST', all, 201, { payload: body, headers: key })
  expect(headers['location']).toBe(`${all}/${encodeURIComponent(String(idIn(data)))}`)
  const replayed = await walk.call('POST', all, 201, { payload: body, headers: key })
  expect(replayed.headers['idempotent-replayed']).toBe('true')
  await walk.call('POST', all, 422, { payload: { ...body, colour: 'red' }, headers: key })
  const other = { ...body, ...('email' in body && { email: 'other@example.com' }), ...('id' in body && { id: 'other' }) }
  await walk.call('POST', all, 201, { payload: [other] })
  if ('email' in body || 'id' in body) await walk.call('POST', all, 409, { payload: body })
  await walk.call('POST', all, 422, { payload: { ...body, colour: 'red' } })
  await walk.call('POST', all, 400, { payload: '{' })
  await walk.call('POST', all, 415, { payload: '<a/>', headers: { 'content-type': 'text/xml' } })
  await walk.call('POST', all, 413, { payload: JSON.stringify('a'.repeat(1_100_000)) })
  return idIn(data)
}

async function walkReading(walk: Walk, all: string, one: string, id: unknown): Promise<void> {
  await walk.call('GET', all, 200)
  for (const query of walk.queries(all)) await walk.call('GET', all, 200, { query })
  await walk.call('GET', all, 200, { query: 'limit=1&offset=1' })
  await walk.call('GET', all, 400, { query: 'colour=red' })
  for (const query of ['', ...walk.queries(`${all}/aggregate`, 'own')]) await walk.call('GET', `${all}/aggregate`, 200, { query })
  await walk.call('GET', `${all}/aggregate`, 400, { query: 'measures=most' })
  const parameters = walk.document.paths[`${all}/aggregate`]?.['get']?.parameters ?? []
  const measures = parameters.find(({ name }) => name === 'measures') as unknown as { schema: { items: { enum: string[] } } }
  await walk.call('GET', `${all}/aggregate`, 200, { query: `measures=${measures.schema.items.enum.join(',')}` })
  await walkFeed(walk, `${all}/changes`)
  const { headers } = await walk.call('GET', one, 200, { id })
  for (const query of walk.queries(one)) await walk.call('GET', one, 200, { id, query })
  await walk.call('GET', one, 200, { id, query: 'fields=id&fields=id' })
  await walk.call('GET', one, 304, { id, headers: { 'if-none-match': String(headers['etag']) } })
  await walk.call('GET', one, 404, { id: '00000000-0000-7000-8000-000000000000' })
  await walk.call('GET', one, 400, { id, query: 'colour=red' })
}

async function walkFeed(walk: Walk, path: string): Promise<void> {
  const headers = { accept: 'application/json', prefer: 'wait=0' }
  for (const query of ['', 'after=start', 'after=9:9', ...walk.queries(path)]) await walk.call('GET', path, 200, { query, headers })
  await walk.call('GET', path, 200)
  await walk.call('GET', path, 200, { headers: { 'last-event-id': 'start' } })
  for (const query of ['after=x', 'limit=0', 'colour=red']) await walk.call('GET', path, 400, { query })
}

async function walkChanges(walk: Walk, all: string, one: string, id: unknown): Promise<void> {
  const patch = walk.example('PATCH', one, 'recordPatch')
  if ('owner' in patch) patch['owner'] = null
  await walk.call('PATCH', one, 200, { id, payload: patch })
  await walk.call('PATCH', one, 200, { id, payload: patch, headers: { 'content-type': 'application/merge-patch+json' } })
  await walk.call('PATCH', one, 422, { id, payload: { colour: 'red' } })
  await walk.call('PATCH', one, 412, { id, payload: patch, headers: { 'if-match': '"old"' } })
  await walk.call('PATCH', one, 415, { id, payload: '<a/>', headers: { 'content-type': 'text/xml' } })
  const whole = (await walk.call('GET', one, 200, { id })).data
  await walk.call('PUT', one, 200, { id, payload: whole as object })
  await walk.call('PUT', one, 422, { id, payload: { colour: 'red' } })
  const isMadeByClient =
    walk.document.paths[one]?.['put'] &&
    operationsOf(walk.document).some(({ path, method, statuses }) => path === one && method === 'PUT' && statuses.includes(201))
  const fresh = '0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7fff'
  await walk.call('PUT', one, isMadeByClient ? 201 : 404, { id: fresh, payload: patch })
  const { email: _, ...shared } = patch
  await walk.call('PATCH', all, 200, { query: `id=${encodeURIComponent(String(id))}&at_most=1`, payload: shared })
  await walk.call('PATCH', all, 409, { query: 'id[is_null]=false&at_most=1', payload: shared })
  await walk.call('PATCH', all, 400, { query: 'at_most=1', payload: shared })
  await walk.call('PATCH', all, 415, { query: 'id[is_null]=false&at_most=1', payload: '<a/>', headers: { 'content-type': 'text/xml' } })
}

async function walkThePast(walk: Walk, all: string, one: string, id: unknown): Promise<void> {
  const [history, diff, revert] = [`${one}/history`, `${one}/diff`, `${one}/revert`]
  const missing = '00000000-0000-7000-8000-000000000000'
  const now = new Date().toISOString()
  for (const path of [all, one]) {
    await walk.call('GET', path, 200, { id, query: `at=${now}` })
    await walk.call('GET', path, 400, { id, query: 'at=yesterday' })
  }
  const entries = (await walk.call('GET', history, 200, { id })).data as { readonly id: number }[]
  for (const query of walk.queries(history)) await walk.call('GET', history, 200, { id, query })
  await walk.call('GET', history, 404, { id: missing })
  await walk.call('GET', history, 400, { id, query: 'limit=0' })
  await walk.call('GET', diff, 200, { id, query: `from=2026-01-31T12:00:00Z&to=${now}` })
  await walk.call('GET', diff, 400, { id })
  await walk.call('GET', diff, 404, { id: missing, query: `from=${now}` })
  await walk.call('POST', revert, 200, { id, payload: { to: entries.at(-1)?.id } })
  await walk.call('POST', revert, 200, { id, payload: { to: now }, query: 'dry_run=true' })
  await walk.call('POST', revert, 409, { id, payload: walk.example('POST', revert, 'revertTarget') })
  await walk.call('POST', revert, 422, { id, payload: { to: null } })
  await walk.call('POST', revert, 404, { id: missing, payload: { to: now } })
  await walk.call('POST', revert, 412, { id, payload: { to: now }, headers: { 'if-match': '"old"' } })
  await walk.call('POST', revert, 415, { id, payload: '<a/>', headers: { 'content-type': 'text/xml' } })
}

async function walkRemoval(walk: Walk, all: string, one: string, id: unknown): Promise<void> {
  const restore = `${one}/restore`
  await walk.call('DELETE', one, 200, { id, query: 'dry_run=true' })
  await walk.call('DELETE', one, 200, { id })
  await walk.call('DELETE', one, 404, { id })
  if (walk.document.paths[restore]) {
    await walk.call('POST', restore, 200, { id })
    await walk.call('POST', restore, 404, { id: '00000000-0000-7000-8000-000000000000' })
    await walk.call('DELETE', one, 200, { id, query: 'purge=true' })
    await walk.call('DELETE', one, 200, { id, query: 'erase=true' })
    await walk.call('DELETE', one, 404, { id, query: 'erase=true' })
  }
  await walk.call('DELETE', all, 400, { query: 'at_most=1' })
  await walk.call('DELETE', all, 200, { query: 'id[is_null]=false&at_most=100' })
}

async function walkRestores(walk: Walk): Promise<void> {
  const [upload, undo] = ['/db/restore', '/db/restore/undo']
  const payload = await walk.backup()
  const headers = { 'content-type': 'application/octet-stream' }
  await walk.call('POST', upload, 200, { payload, headers, query: 'dry_run=true&integrity_check=true' })
  await walk.call('POST', undo, 409)
  await walk.call('POST', upload, 200, { payload, headers })
  await walk.call('POST', upload, 422, { payload: 'SQLite', headers })
  await walk.call('POST', upload, 415, { payload: '{}' })
  await walk.call('POST', undo, 200, { query: 'dry_run=true' })
  await walk.call('POST', upload, 400, { payload, headers, query: 'colour=red' })
  await walk.call('POST', upload, 403, { payload, headers: { ...headers, via: 'somebody' } })
  await walk.call('POST', undo, 400, { query: 'colour=red' })
  await walk.call('POST', undo, 403, { headers: { via: 'somebody' } })
}

async function walkEvidence(walk: Walk): Promise<void> {
  const [verify, sign, prove] = ['/db/audit/verify', '/db/audit/checkpoint', '/db/audit/{id}/proof']
  const checkpoint = JSON.stringify((await walk.call('GET', sign, 200)).data)
  await walk.call('GET', verify, 200)
  await walk.call('GET', verify, 200, { query: `checkpoint=${encodeURIComponent(checkpoint)}` })
  for (const query of ['checkpoint=x', 'public_key=x', 'colour=red']) await walk.call('GET', verify, 400, { query })
  await walk.call('GET', verify, 403, { query: `checkpoint=${encodeURIComponent(checkpoint)}&public_key=x` })
  await walk.call('GET', sign, 400, { query: 'colour=red' })
  for (const query of ['', ...walk.queries(prove)]) await walk.call('GET', prove, 200, { id: 1, query })
  for (const id of ['x', '0', '999999']) await walk.call('GET', prove, 404, { id })
  await walk.call('GET', prove, 400, { id: 1, query: 'size=0' })
  await walk.call('GET', prove, 409, { id: 1, query: 'size=999999' })
  for (const path of [verify, sign, prove]) await walk.call('GET', path, 403, { id: 1, headers: { via: 'somebody' } })
}

async function walkExplanations(walk: Walk): Promise<void> {
  const path = '/db/explain-access'
  const question = { component: 'users', operation: 'update', principal: { id: 7, roles: ['member'] } }
  await walk.call('POST', path, 200, { payload: question })
  await walk.call('POST', path, 200, { payload: { ...question, id: 7 } })
  await walk.call('POST', path, 422, { payload: { ...question, operation: 'rob' } })
  for (const id of ['half \udc00', 'NUL \0']) await walk.call('POST', path, 422, { payload: { ...question, id } })
  await walk.call('POST', path, 400, { payload: question, query: 'colour=red' })
  await walk.call('POST', path, 415, { payload: 'x', headers: { 'content-type': 'text/plain' } })
  await walk.call('POST', path, 403, { payload: question, headers: { via: 'somebody' } })
}

async function walkReverts(walk: Walk): Promise<void> {
  const path = '/db/revert'
  const made = await walk.call('POST', '/tags', 201, { payload: { id: 'blue' }, headers: { 'x-request-id': 'undone' } })
  expect(idIn(made.data)).toBe('blue')
  await walk.call('POST', path, 200, { payload: { request_id: 'undone' }, query: 'dry_run=true' })
  await walk.call('POST', path, 200, { payload: { request_id: 'undone', conflicts: 'refuse', at_most: 10 } })
  await walk.call('PUT', '/tags/{id}', 201, { id: 'green', payload: { label: 'a' }, headers: { 'x-request-id': 'green' } })
  await walk.call('PUT', '/tags/{id}', 200, { id: 'green', payload: { label: 'b' } })
  await walk.call('POST', path, 200, { payload: { request_id: 'green' }, query: 'dry_run=true' })
  await walk.call('POST', path, 409, { payload: { request_id: 'green' } })
  await walk.call('POST', path, 404, { payload: { ...walk.example('POST', path, 'revertQuestion'), actor: 'nobody' } })
  await walk.call('POST', path, 422, { payload: { actor: 'tester' } })
  await walk.call('POST', path, 400, { payload: { request_id: 'undone' }, query: 'colour=red' })
  await walk.call('POST', path, 415, { payload: 'x', headers: { 'content-type': 'text/plain' } })
  await walk.call('POST', path, 403, { payload: { request_id: 'undone' }, headers: { via: 'somebody' } })
}

/** The job that an answer is. */
function jobIn(data: unknown): { readonly id: string; readonly state: string } {
  return data as { readonly id: string; readonly state: string }
}

async function walkImports(walk: Walk): Promise<void> {
  const [upload, all, one] = ['/db/import', '/db/jobs', '/db/jobs/{id}']
  const headers = { 'content-type': 'text/csv' }
  const query = 'table=tags'
  await walk.call('POST', upload, 200, { payload: 'id\nimported\n', headers, query: `${query}&mode=upsert&dry_run=true` })
  await walk.call('POST', upload, 422, { payload: 'id,limit\na,many\n', headers, query })
  await walk.call('POST', upload, 422, { payload: 'PK', headers: { 'content-type': 'application/zip' } })
  await walk.call('POST', upload, 400, { payload: 'id\n', headers, query: 'table=pets' })
  await walk.call('POST', upload, 403, { payload: 'id\n', headers: { ...headers, via: 'somebody' }, query })
  await walk.call('POST', upload, 415, { payload: '{}' })
  const release = walk.holdTag('held')
  const started = await walk.call('POST', upload, 202, { payload: 'id\nheld\n', headers: { ...headers, prefer: 'respond-async' }, query })
  const { id } = jobIn(started.data)
  expect(started.headers['location']).toBe(`/db/jobs/${id}`)
  await walk.call('GET', one, 200, { id })
  const cancelling = walk.call('DELETE', one, 200, { id })
  await vi.waitFor(async () => expect(await walk.isCancelled(id)).toBe(true))
  release()
  expect(jobIn((await cancelling).data).state).toBe('cancelled')
  await walk.call('DELETE', one, 409, { id })
  for (const method of ['GET', 'DELETE']) {
    await walk.call(method, one, 404, { id: 'nonsense' })
    await walk.call(method, one, 400, { id, query: 'colour=red' })
    await walk.call(method, one, 403, { id, headers: { via: 'somebody' } })
  }
  await walk.call('GET', all, 200)
  await walk.call('GET', all, 400, { query: 'colour=red' })
  await walk.call('GET', all, 403, { headers: { via: 'somebody' } })
}

async function walkTheRest(walk: Walk): Promise<void> {
  const batch = walk.example('POST', '/batch', 'batch')
  await walk.call('POST', '/batch', 200, { payload: batch })
  const operations = [
    { method: 'create', component: 'users', body: { name: 'Bea', email: 'bea@example.com' } },
    { method: 'create', component: 'products', body: { name: 'Vase', owner: '$0.id' } },
    { method: 'patch', component: 'users', id: '$0.id', body: { age: 3 } },
    { method: 'save', component: 'tags', id: 'red', body: { label: 'Red' } },
    { method: 'delete', component: 'products', id: '$1.id' },
    { method: 'restore', component: 'users', id: '$0.id' },
  ]
  await walk.call('POST', '/batch', 200, { payload: { operations } })
  await walk.call('POST', '/batch', 422, { payload: { operations: [{ method: 'fly', component: 'users' }] } })
  await walk.call('POST', '/batch', 404, { payload: { operations: [{ method: 'delete', component: 'users', id: 999 }] } })
  await walkEvidence(walk)
  await walkExplanations(walk)
  await walkReverts(walk)
  await walkRestores(walk)
  await walkImports(walk)
  for (const path of ['/db/audit', '/db/diagram.svg', '/db/backups', '/db/export.zip', '/db/backup.sqlite']) {
    await walk.call('GET', path, 200)
    for (const query of walk.queries(path)) await walk.call('GET', path, 200, { query })
    await walk.call('GET', path, 400, { query: 'colour=red' })
    await walk.call('GET', path, 403, { headers: { via: 'somebody' } })
  }
  await walkFeed(walk, '/db/changes')
  await walk.call('GET', '/db/changes', 403, { headers: { via: 'somebody' } })
  await walk.call('GET', '/metrics', 200)
  await walk.call('GET', '/metrics', 403, { headers: { via: 'somebody' } })
  for (const path of ['/db/health', '/health', '/ready', '/openapi.json', '/docs']) {
    await walk.call('GET', path, 200, { headers: { traceparent } })
    await walk.call('GET', path, 400, unreadable)
  }
}
