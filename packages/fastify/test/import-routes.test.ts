import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { importParameters } from '@strongroom/contract'
import { describeEngines, makeZip, needs, type ZippedFile } from '@strongroom/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { begin, type ListeningServer, listen } from './transfer-support.ts'

test('the parameters are those that the routes document', () => {
  expect(importParameters.map(({ name }) => name)).toEqual(['mode', 'dry_run', 'table'])
})

beforeAll(async () => {
  vi.stubEnv('TMPDIR', await mkdtemp(join(tmpdir(), 'strongroom-import-')))
})
afterAll(() => {
  vi.unstubAllEnvs()
})

type Sent = NonNullable<RequestInit['body']>
type Files = readonly (readonly [field: string, name: string, content: string | Uint8Array<ArrayBuffer>])[]

function form(files: Files): FormData {
  const body = new FormData()
  for (const [field, name, content] of files) body.append(field, new Blob([content]), name)
  return body
}

const zipOf = (...files: ZippedFile[]): FormData => form([['file', 'export.zip', makeZip(files)]])
const tagFile: ZippedFile = { name: 'tags.csv', content: 'id\na\n' }

describeEngines('the import routes', (engine) => {
  let server: ListeningServer
  let gate = Promise.withResolvers<void>()
  beforeAll(async () => {
    server = await listen(engine)
    server.tags.beforeInsert(({ record }) => (record.id === 'held' ? gate.promise : undefined))
    return () => server.app.close()
  })
  beforeEach(async () => {
    await server.tags.purgeMany({})
  })
  // A test that failed keeps nobody waiting.
  afterEach(() => gate.resolve())
  const call = (path: string, init: RequestInit = {}) => fetch(`${server.url}/db${path}`, init)
  // A machine that is busy may take longer than an answer usually waits for the end.
  const patient = { prefer: 'wait=30' }
  const send = (body: Sent, query = '', headers: Record<string, string> = {}) =>
    call(`/import${query}`, { method: 'POST', body, headers: { ...patient, ...headers } })
  const csv = { 'content-type': 'text/csv' }
  const ids = async () => (await server.tags.all()).map(({ id }) => id)
  const expectNothingLeft = () => vi.waitFor(async () => expect(await server.leftovers()).toEqual([]), { timeout: 20_000 })
  const expectRefusal = async (response: Response, status: number, code: string, words: string | RegExp) => {
    expect(await response.json()).toMatchObject({ status, code, detail: expect.stringMatching(words) })
    expect(response.status).toBe(status)
    expect(await ids()).toEqual([])
  }

  const bodies: [title: string, body: Sent, query: string, headers: Record<string, string>][] = [
    ['a zip in a form', zipOf(tagFile), '', {}],
    ['a zip alone', makeZip([tagFile]), '', { 'content-type': 'application/zip' }],
    ['a CSV file alone', 'id\na\n', '?table=tags', { 'content-type': 'text/csv; charset=UTF-8' }],
    ['a CSV file whose field is its table', form([['tags', 'x.csv', 'id\na\n']]), '', {}],
    ['a CSV file whose name is its table', form([['file', 'tags.csv', 'id\na\n']]), '', {}],
  ]
  test.each(bodies)('%s is imported', async (_title, body, query, headers) => {
    const response = await send(body, query, headers)
    expect(await response.json()).toEqual({
      applied: true,
      dry_run: false,
      transaction_id: expect.any(String),
      tables: [{ table: 'tags', component: 'tags', rows: 1, inserted: 1, updated: 0, unchanged: 0 }],
      skipped: [],
      errors: [],
      error_count: 0,
    })
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(await ids()).toEqual(['a'])
    await expectNothingLeft()
  })

  test('several files are one unit, in the name of whoever asked, under one request id', async () => {
    const files: Files = [
      ['products', 'a.csv', 'name,owner\nVase,41\n'],
      ['x', 'users.csv', 'id,name,email\n41,Ada,ada@example.com\n'],
    ]
    const before = await server.storage.audit.count()
    const dry = await send(form(files), '?dry_run=true')
    expect(await dry.json()).toMatchObject({
      applied: false,
      dry_run: true,
      tables: expect.arrayContaining([expect.objectContaining({ inserted: 1 })]),
    })
    expect(await server.storage.audit.count()).toBe(before)
    expect((await send(form(files), '', { 'x-user': 'olga', 'x-request-id': 'import-1' })).status).toBe(200)
    const entries = await server.storage.audit.find({ request_id: 'import-1' })
    expect(entries.map(({ actor, component }) => `${actor} ${component}`).toSorted()).toEqual(['olga products', 'olga users'])
    expect(new Set(entries.map(({ transaction_id }) => transaction_id)).size).toBe(1)
    const changed = await send('id,name\n41,Ada L.\n', '?table=users&mode=upsert', csv)
    expect(await changed.json()).toMatchObject({ tables: [{ updated: 1 }] })
    expect((await server.storage.audit.find({ limit: 1 }))[0]).toMatchObject({ actor: 'operator' })
  })

  test('an export is imported, and what is no table of a model skipped', async () => {
    await server.tags.insert({ id: 'a' })
    const zip = await (await call('/export.zip?tables=tags,strongroom_audit_log')).arrayBuffer()
    await server.tags.purge('a')
    const response = await send(zip, '', { 'content-type': 'application/zip' })
    expect(await response.json()).toMatchObject({ applied: true, skipped: [{ file: 'strongroom_audit_log.csv' }] })
    expect(await ids()).toEqual(['a'])
  })

  test('rows that are wrong are told with file, line and field, and nothing is written', async () => {
    const response = await send(form([['tags', 'tags.csv', 'id,limit\na,1\nb,many\nc\n']]))
    expect(await response.json()).toMatchObject({
      status: 422,
      code: 'validation_failed',
      detail: '2 errors were found in the files. Nothing was written.',
      error_count: 2,
      errors: [
        { path: 'tags:3:limit', file: 'tags', line: 3, field: 'limit', message: 'must be a whole number' },
        { path: 'tags:4', file: 'tags', line: 4, field: '', message: expect.stringContaining('cells') },
      ],
    })
    expect(await ids()).toEqual([])
    await expectNothingLeft()
  })

  const two: Files = [
    ['tags', 'a', 'id\na\n'],
    ['file', 'tags.csv', 'id\nb\n'],
  ]
  const mixed: Files = [
    ['file', 'x.zip', makeZip([tagFile])],
    ['tags', 'a', 'id\na\n'],
  ]
  const bomb: ZippedFile = { name: 'tags.csv', content: Buffer.alloc(16_000_000, 'id\n'), claimedSize: 1_000 }
  const refused: [title: string, status: number, code: string, words: string | RegExp, body: () => FormData][] = [
    ['a zip with ../x', 422, 'validation_failed', 'invalid relative path', () => zipOf({ ...tagFile, name: '../tags.csv' })],
    ['a zip with a symlink', 422, 'validation_failed', 'symbolic link', () => zipOf({ ...tagFile, mode: 0o120777 })],
    ['a zip with duplicate names', 422, 'validation_failed', 'tags.csv twice', () => zipOf(tagFile, tagFile)],
    ['a zip bomb', 413, 'payload_too_large', 'larger than it says', () => zipOf(bomb)],
    [
      'the audit log alone',
      422,
      'validation_failed',
      'exported for reading',
      () => zipOf({ ...tagFile, name: 'strongroom_audit_log.csv' }),
    ],
    ['the audit log as CSV', 422, 'validation_failed', 'exported for reading', () => form([['file', 'strongroom_audit_log.csv', 'id\n']])],
    ['text that is called a zip', 422, 'validation_failed', 'no zip', () => form([['file', 'a.zip', 'id\na\n']])],
    ['a file of no table', 422, 'validation_failed', 'There are users, products, tags', () => form([['file', 'x.csv', 'id\n']])],
    ['two files for a table', 422, 'validation_failed', 'two files for the table tags', () => form(two)],
    ['a zip beside a file', 422, 'validation_failed', 'one zip, or CSV files', () => form(mixed)],
    ['a form without files', 400, 'bad_request', 'no file', () => new FormData()],
  ]
  test.each(refused)('%s is %i', async (_title, status, code, words, body) => {
    await expectRefusal(await send(body()), status, code, words)
    await expectNothingLeft()
  })

  test('requests that cannot be understood are 400 or 415', async () => {
    const withText = form([['tags', 'a', 'id\na\n']])
    withText.append('tags', 'id')
    await expectRefusal(await send(withText), 400, 'bad_request', 'a field "tags" that is no file')
    const { headers, body } = await (async () => {
      const whole = new Response(form([['tags', 'a', 'id\na\n']]))
      return { headers: { 'content-type': whole.headers.get('content-type') ?? '' }, body: await whole.text() }
    })()
    await expectRefusal(await send(body.slice(0, -6), '', headers), 400, 'bad_request', 'The form cannot be read')
    await expectRefusal(await send(body, '', { 'content-type': 'multipart/form-data' }), 400, 'bad_request', 'boundary')
    await expectRefusal(await call('/import', { method: 'POST' }), 400, 'bad_request', 'There is no file')
    await expectRefusal(await send('{}', '', { 'content-type': 'application/json' }), 415, 'unsupported_media_type', 'Send a zip')
    await expectRefusal(await send('id', '?table=tags', { ...csv, 'content-encoding': 'gzip' }), 415, 'unsupported_media_type', 'as it is')
    const latin = { 'content-type': 'text/csv; charset=iso-8859-1' }
    await expectRefusal(await send('id', '?table=tags', latin), 415, 'unsupported_media_type', 'UTF-8')
    await expectRefusal(await send('id', '', csv), 400, 'invalid_query', /which table.*users, products, tags/)
    await expectRefusal(await send('id', '?table=pets', csv), 400, 'invalid_query', 'no table "pets"')
    await expectRefusal(await send(zipOf(tagFile), '?table=tags'), 400, 'invalid_query', 'table is for')
    await expectRefusal(await send(zipOf(tagFile), '?mode=replace'), 400, 'invalid_query', 'insert or upsert')
    await expectRefusal(await send(zipOf(tagFile), '?colour=red'), 400, 'invalid_query', 'mode, dry_run, table')
    await expectNothingLeft()
  })

  test('uploads have a limit, and strangers are refused before the body', async () => {
    const other = await listen(engine, { uploadLimit: 1_000 })
    try {
      const large = `id\n${'a'.repeat(70_000)}\n`
      for (const [body, headers] of [[large, csv] as const, [form([['tags', 'a', large]]), {}] as const]) {
        const url = `${other.url}/db/import${body === large ? '?table=tags' : ''}`
        const response = await fetch(url, { method: 'POST', body, headers })
        expect([response.status, await response.json()]).toMatchObject([413, { detail: expect.stringContaining('1000 bytes') }])
      }
      expect(await other.leftovers()).toEqual([])
    } finally {
      await other.app.close()
    }
    const head = ['POST /db/import HTTP/1.1', 'Content-Type: application/zip', 'Via: 1.1 proxy', 'Content-Length: 10000000000']
    expect(await text(await begin(server.port, head, 'PK'))).toMatch(/^HTTP\/1\.1 403 /)
    for (const path of ['/jobs', '/jobs/0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7f80'])
      expect((await call(path, { headers: { via: 'proxy' } })).status).toBe(403)
  })

  test('an upload that is cut off leaves no file, and no job', async () => {
    const before = await server.storage.jobs.list()
    for (const type of ['application/zip', 'multipart/form-data; boundary=x']) {
      const head = ['POST /db/import HTTP/1.1', `Content-Type: ${type}`, 'Content-Length: 100000000']
      const part = '--x\r\nContent-Disposition: form-data; name="tags"; filename="tags.csv"\r\n\r\nid\n'
      const socket = await begin(server.port, head, `${part}${'a\n'.repeat(50_000)}`)
      await vi.waitFor(async () => expect(await server.leftovers()).not.toEqual([]), { timeout: 20_000 })
      socket.destroy()
      await expectNothingLeft()
    }
    expect(await server.storage.jobs.list()).toEqual(before)
  })

  needs(engine, 'oneFile', () => {
    test('a full disk is 507, and nothing is left', async () => {
      const other = await listen(engine, { sqlite: { maxPageCount: 200 } })
      try {
        const rows = Array.from({ length: 3_000 }, (_, index) => `${index},${'x'.repeat(300)}`)
        const body = `id,label\n${rows.join('\n')}\n`
        const response = await fetch(`${other.url}/db/import?table=tags`, { method: 'POST', body, headers: { ...csv, ...patient } })
        expect([response.status, await response.json()]).toMatchObject([507, { code: 'storage_full' }])
        expect([await other.tags.count(), await other.leftovers()]).toEqual([0, []])
      } finally {
        await other.app.close()
      }
    })
  })

  describe('an import that takes longer than the request waits', () => {
    interface WireJob {
      readonly id: string
      readonly state: string
    }
    const startHeld = async (headers: Record<string, string> = {}) => {
      gate = Promise.withResolvers<void>()
      const response = await send('id\na\nheld\n', '?table=tags', { ...csv, prefer: 'respond-async', ...headers })
      expect(response.status).toBe(202)
      const job = (await response.json()) as WireJob
      await vi.waitFor(async () => expect(await server.storage.jobs.get(job.id)).toMatchObject({ progress: { phase: 'writing' } }))
      return { job, location: response.headers.get('location') ?? '' }
    }

    test('is a job, which tells how far it is, and at its end what it did', async () => {
      const { job, location } = await startHeld({ 'x-user': 'olga', 'x-request-id': 'import-2' })
      expect(location).toBe(`/db/jobs/${job.id}`)
      const running = {
        id: job.id,
        kind: 'import',
        state: 'running',
        actor: 'olga',
        request_id: 'import-2',
        finished_at: null,
        result: null,
      }
      expect(job).toMatchObject(running)
      expect(await (await call('/jobs')).json()).toMatchObject(expect.arrayContaining([expect.objectContaining(running)]))
      gate.resolve()
      await vi.waitFor(async () => expect(await (await fetch(`${server.url}${location}`)).json()).toMatchObject({ state: 'done' }))
      expect(await (await fetch(`${server.url}${location}`)).json()).toMatchObject({
        progress: { phase: 'writing', rows: 2 },
        result: { applied: true, tables: [{ inserted: 2 }] },
        error: null,
        finished_at: expect.stringMatching(/Z$/),
      })
      expect(await ids()).toEqual(['a', 'held'])
      const late = await call(`/jobs/${job.id}`, { method: 'DELETE' })
      expect([late.status, await late.json()]).toMatchObject([409, { code: 'state_conflict' }])
    })

    test('is cancelled by DELETE, and leaves nothing', async () => {
      const { job } = await startHeld()
      const cancelling = call(`/jobs/${job.id}`, { method: 'DELETE' })
      await vi.waitFor(async () => expect(await server.storage.jobs.get(job.id)).toMatchObject({ cancelRequested: true }))
      gate.resolve()
      const response = await cancelling
      expect([response.status, await response.json()]).toMatchObject([200, { state: 'cancelled', cancel_requested: true, error: null }])
      expect(await ids()).toEqual([])
      await expectNothingLeft()
    })

    test('goes on when the client goes away', async () => {
      gate = Promise.withResolvers<void>()
      const body = 'id\nheld\n'
      const head = ['POST /db/import?table=tags HTTP/1.1', 'Content-Type: text/csv', 'Prefer: wait=30', 'X-Request-Id: gone']
      const socket = await begin(server.port, [...head, `Content-Length: ${body.length}`], body)
      const mine = async () => (await server.storage.jobs.list()).find(({ requestId }) => requestId === 'gone')
      await vi.waitFor(async () => expect(await mine()).toBeDefined())
      socket.destroy()
      gate.resolve()
      await vi.waitFor(async () => expect(await mine()).toMatchObject({ state: 'done' }))
      expect(await ids()).toEqual(['held'])
    })

    test('is waited for as long as the client prefers', async () => {
      gate = Promise.withResolvers<void>()
      const waiting = send('id\nheld\n', '?table=tags', { ...csv, prefer: 'respond-async, wait=20', 'x-request-id': 'patient' })
      await vi.waitFor(async () =>
        expect((await server.storage.jobs.list())[0]).toMatchObject({ requestId: 'patient', progress: { phase: 'writing' } }),
      )
      gate.resolve()
      expect((await waiting).status).toBe(200)
    })
  })

  test('a job that there is not is 404', async () => {
    for (const id of ['nonsense', '0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7f80'])
      for (const method of ['GET', 'DELETE']) {
        const response = await call(`/jobs/${id}`, { method })
        expect([response.status, await response.json()]).toMatchObject([404, { code: 'not_found' }])
      }
  })

  test('a server that closes tells who waits that the import was a job', async () => {
    const other = await listen(engine)
    const held = Promise.withResolvers<void>()
    other.tags.beforeInsert(() => held.promise)
    const waiting = fetch(`${other.url}/db/import?table=tags`, { method: 'POST', body: 'id\na\n', headers: { ...csv, prefer: 'wait=30' } })
    await vi.waitFor(async () => expect(await other.storage.jobs.list()).toMatchObject([{ progress: { phase: 'writing' } }]))
    const closing = other.app.close()
    expect((await waiting).status).toBe(202)
    held.resolve()
    await closing
    expect(await other.leftovers()).toEqual([])
  })
})
