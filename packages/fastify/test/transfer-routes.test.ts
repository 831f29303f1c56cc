import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { exportParameters, restoreParameters, undoRestoreParameters } from '@strongroom/contract'
import { describeEngines } from '@strongroom/testkit'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createServer } from '../src/index.ts'
import { ada, makeAccessors } from './support.ts'
import { backupOf, begin, filesOf, formOf, type ListeningServer, listen } from './transfer-support.ts'

test('the parameters are those that the routes document', () => {
  expect(exportParameters.map(({ name }) => name)).toEqual(['tables', 'spreadsheet', 'secrets'])
  expect(restoreParameters.map(({ name }) => name)).toEqual(['integrity_check', 'dry_run'])
  expect(undoRestoreParameters.map(({ name }) => name)).toEqual(['dry_run'])
})

beforeAll(async () => {
  // What is left in a folder that nobody else uses can be counted.
  vi.stubEnv('TMPDIR', await mkdtemp(join(tmpdir(), 'strongroom-transfer-')))
})
afterAll(() => {
  vi.unstubAllEnvs()
})

const rawHead = ['POST /db/restore HTTP/1.1', 'Content-Type: application/x-sqlite3']

describeEngines('the transfer routes', (engine) => {
  let server: ListeningServer
  let backup: Buffer<ArrayBuffer>
  beforeAll(async () => {
    server = await listen(engine)
    await server.users.insert({ ...ada, name: '=1+1', password_hash: 'canary' })
    await server.products.insert({ name: 'Vase', owner: 1 })
    backup = await backupOf(server)
    return () => server.app.close()
  })
  const restore = (body: FormData | Uint8Array<ArrayBuffer>, query = '', headers: Record<string, string> = {}) =>
    fetch(`${server.url}/db/restore${query}`, {
      method: 'POST',
      body,
      headers: { ...(body instanceof FormData ? {} : { 'content-type': 'application/x-sqlite3' }), ...headers },
    })
  const expectRefusal = async (response: Response, status: number, code: string, words: string | RegExp) => {
    const problem = (await response.json()) as object
    expect(problem).toMatchObject({ status, code, detail: expect.stringMatching(words) })
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
    expect(response.headers.get('content-disposition')).toBeNull()
  }
  const expectNothingLeft = () => vi.waitFor(async () => expect(await server.leftovers()).toEqual([]), { timeout: 20_000 })

  describe('GET /db/export.zip', () => {
    const take = async (query = '') => {
      const response = await fetch(`${server.url}/db/export.zip${query}`)
      expect(response.status).toBe(200)
      return { headers: response.headers, files: await filesOf(Buffer.from(await response.arrayBuffer())) }
    }

    test('is a zip with every table, secrets masked', async () => {
      const { headers, files } = await take()
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-type': 'application/zip',
        'content-disposition': expect.stringMatching(/^attachment; filename="export-\d{8}T\d{6}Z\.zip"$/),
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      expect([...files.keys()]).toEqual(['users.csv', 'products.csv', 'tags.csv', 'strongroom_audit_log.csv', 'manifest.json'])
      expect(files.get('users.csv')).toContain('=1+1')
      expect([...files.values()].join()).not.toContain('canary')
    })

    test('takes tables, spreadsheet and secrets', async () => {
      const { files } = await take('?tables=users,tags&spreadsheet=True&secrets=include')
      expect([...files.keys()]).toEqual(['users.csv', 'tags.csv', 'manifest.json'])
      expect(files.get('users.csv')).toMatch(/'=1\+1.*canary/)
    })

    const bad: [query: string, words: string][] = [
      ['tables=users,pets', 'There is no table "pets". There are users, products, tags, strongroom_audit_log.'],
      ['tables=', 'tables names none'],
      ['spreadsheet=perhaps', 'spreadsheet is true or false.'],
      ['secrets=all', 'secrets is mask or include.'],
      ['table=users', 'Parameters: tables, spreadsheet, secrets.'],
    ]
    test.each(bad)('refuses %s', async (query, words) => {
      await expectRefusal(await fetch(`${server.url}/db/export.zip?${query}`), 400, 'invalid_query', words)
    })
  })

  describe('GET /db/backup.sqlite', () => {
    test('is a database with everything, whose length is said', async () => {
      const response = await fetch(`${server.url}/db/backup.sqlite`)
      const bytes = Buffer.from(await response.arrayBuffer())
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'application/x-sqlite3',
        'content-disposition': expect.stringMatching(/^attachment; filename="backup-\d{8}T\d{6}Z\.sqlite"$/),
        'content-length': String(bytes.length),
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      const file = new Database(bytes)
      expect(file.pragma('integrity_check', { simple: true })).toBe('ok')
      expect(file.prepare('SELECT name, password_hash FROM users').all()).toEqual([{ name: '=1+1', password_hash: 'canary' }])
      file.close()
      await expectNothingLeft()
    })

    test('takes no parameters', async () => {
      await expectRefusal(await fetch(`${server.url}/db/backup.sqlite?checked=1`), 400, 'invalid_query', 'Parameters: none.')
    })

    test('ends when the client goes away', async () => {
      const request = get(`${server.url}/db/backup.sqlite`).on('error', () => undefined)
      await vi.waitFor(async () => expect(await server.leftovers()).not.toEqual([]), { timeout: 20_000, interval: 5 })
      request.destroy()
      await expectNothingLeft()
    })
  })

  test.each(['/db/export.zip', '/db/backup.sqlite'])('HEAD %s makes nothing', async (path) => {
    const response = await fetch(`${server.url}${path}`, { method: 'HEAD' })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-disposition')).toMatch(/^attachment/)
    // how long it would be, nobody knows
    expect(response.headers.get('content-length')).toBeNull()
    expect(await server.leftovers()).toEqual([])
  })

  test.each(['tables=pets', 'tables=', 'secrets=all', 'colour=red'])('HEAD /db/export.zip?%s is 400, as GET is', async (query) => {
    expect((await fetch(`${server.url}/db/export.zip?${query}`, { method: 'HEAD' })).status).toBe(400)
  })

  test('a download that fails on its way is cut, so that it never looks whole', async () => {
    const other = await listen(engine)
    try {
      const names = Array.from({ length: 4000 }, () => ({ name: randomBytes(1500).toString('base64') }))
      await other.products.insertMany(names)
      const [response] = (await once(get(`${other.url}/db/export.zip`), 'response')) as [IncomingMessage]
      expect(response.statusCode).toBe(200)
      response.pause()
      // More than the buffers between the two take is still to come.
      await other.storage.close()
      await expect(text(response)).rejects.toThrow('aborted')
      expect(response.complete).toBe(false)
    } finally {
      await other.app.close()
    }
  })

  describe('are for operators', () => {
    const via = { via: '1.1 proxy' }
    test.each([
      ['GET', '/db/export.zip'],
      ['GET', '/db/backup.sqlite'],
      ['HEAD', '/db/backup.sqlite'],
      ['POST', '/db/restore/undo'],
    ])('%s %s', async (method, path) => {
      const response = await fetch(`${server.url}${path}`, { method, headers: via })
      expect(response.status).toBe(403)
    })

    test('a stranger’s upload is refused before its body, and its connection closed', async () => {
      const socket = await begin(server.port, [...rawHead, 'Via: 1.1 proxy', 'Content-Length: 10000000000'], 'SQLite')
      const answer = await text(socket)
      expect(answer).toMatch(/^HTTP\/1\.1 403 /)
      expect(answer).toContain('"code":"forbidden"')
      expect(await server.leftovers()).toEqual([])
    })
  })

  describe('POST /db/restore', () => {
    const change = () => server.users.update(1, { name: 'Changed' }, { actor: 'tester' })
    const nameNow = async () => (await server.users.get(1))?.name

    test('puts back what the backup held, in the name of whoever asked', async () => {
      await change()
      const response = await restore(formOf(backup), '?integrity_check=false', { 'x-user': 'olga', 'x-request-id': 'restore-1' })
      expect(await response.json()).toEqual({
        status: 'ok',
        restored: true,
        bytes: backup.length,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        tables: expect.arrayContaining([{ table: 'users', now: 1, in_file: 1 }]),
        audit: { ok: true, entries: expect.any(Number), fault: null },
        since: { entries: expect.any(Number), last_entry: expect.stringMatching(/Z$/), same_history: true },
        migrations: [],
        safety_copy: expect.stringMatching(/^[^/\\]+$/),
        epoch: expect.any(Number),
      })
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(await nameNow()).toBe('=1+1')
      const [entry] = await server.storage.audit.find({ limit: 1 })
      expect(entry).toMatchObject({ operation: 'restore_database', actor: 'olga', request_id: 'restore-1' })

      const undone = await fetch(`${server.url}/db/restore/undo`, { method: 'POST' })
      expect(await undone.json()).toMatchObject({ status: 'ok', restored: true })
      expect(await nameNow()).toBe('Changed')
      expect((await server.storage.audit.find({ limit: 1 }))[0]).toMatchObject({ operation: 'restore_database', actor: 'operator' })
      await expectNothingLeft()
    })

    test('takes the file alone as well, and changes nothing in a dry run', async () => {
      await change()
      const before = await server.storage.audit.count()
      for (const type of ['application/x-sqlite3', 'application/vnd.sqlite3', 'application/octet-stream']) {
        const response = await restore(backup, '?dry_run=true', { 'content-type': type })
        expect(await response.json()).toMatchObject({ status: 'ok', restored: false, bytes: backup.length, safety_copy: null, epoch: null })
      }
      const undone = await fetch(`${server.url}/db/restore/undo?dry_run=1`, { method: 'POST' })
      expect([200, 409]).toContain(undone.status)
      expect(await nameNow()).toBe('Changed')
      expect(await server.storage.audit.count()).toBe(before)
    })

    const edited = async (sql: string): Promise<Buffer<ArrayBuffer>> => {
      const file = new Database(backup)
      file.pragma('foreign_keys = OFF')
      file.exec(sql)
      const bytes = file.serialize()
      file.close()
      return Buffer.from(bytes)
    }
    type Case = [title: string, status: number, code: string, words: string, make: () => Buffer<ArrayBuffer> | Promise<Buffer<ArrayBuffer>>]
    const bad: Case[] = [
      ['a text', 422, 'validation_failed', 'no SQLite database', () => Buffer.from('not a database '.repeat(500))],
      ['an empty file', 422, 'validation_failed', 'empty', () => Buffer.alloc(0)],
      ['an encrypted file', 422, 'validation_failed', 'no SQLite database', () => Buffer.from(randomBytes(65_536))],
      ['a truncated file', 422, 'validation_failed', 'cannot be restored', () => backup.subarray(0, 20_000)],
      [
        'a file with a flipped page',
        422,
        'validation_failed',
        'cannot be restored',
        () => Buffer.concat([backup.subarray(0, 8192), randomBytes(4096), backup.subarray(12_288)]),
      ],
      ['orphans', 422, 'validation_failed', 'points to nothing', () => edited('DELETE FROM users')],
      ['a view', 422, 'validation_failed', 'view v', () => edited('CREATE VIEW v AS SELECT 1')],
      [
        'a trigger',
        422,
        'validation_failed',
        'trigger wipe',
        () => edited('CREATE TRIGGER wipe AFTER INSERT ON users BEGIN DELETE FROM strongroom_audit_log; END'),
      ],
      ['a database of another application', 409, 'state_conflict', 'another application', () => edited('PRAGMA application_id = 7')],
      [
        'a database of a newer library',
        409,
        'state_conflict',
        'version 99',
        () => edited(`UPDATE strongroom_state SET value = '99' WHERE key = 'version'`),
      ],
    ]
    test.each(bad)('%s is %i', async (_title, status, code, words, make) => {
      await change()
      await expectRefusal(await restore(formOf(await make())), status, code, words)
      expect(await nameNow()).toBe('Changed')
    })

    const both = new FormData()
    both.append('file', new Blob(['a']), 'a')
    both.append('file', new Blob(['b']), 'b')
    const withField = formOf(new Uint8Array(5000))
    withField.append('note', 'mind the gap')
    const plain = new FormData()
    plain.append('file', 'as text')
    const forms: [title: string, body: FormData, words: string][] = [
      ['without a part', new FormData(), 'no file'],
      ['with two files', both, 'more than one file'],
      ['with another field', withField, 'a field "note"'],
      ['with text for a file', plain, 'a field "file"'],
      ['with a file in another field', formOf(new Uint8Array(5000), 'database'), 'a file in "database"'],
    ]
    test.each(forms)('a form %s is 400', async (_title, body, words) => {
      await expectRefusal(await restore(body), 400, 'bad_request', words)
      await expectNothingLeft()
    })

    test('a form that ends too early, or has no boundary, is 400', async () => {
      await change()
      const form = new Response(formOf(backup))
      const type = form.headers.get('content-type') ?? ''
      const bytes = Buffer.from(await form.arrayBuffer())
      // The file is whole, and the last boundary is not.
      const cut = bytes.subarray(0, bytes.length - 6)
      for (const part of [cut, bytes.subarray(0, 20_000), bytes.subarray(0, 50)]) {
        await expectRefusal(await restore(part, '', { 'content-type': type }), 400, 'bad_request', /The form/)
      }
      await expectRefusal(await restore(bytes, '', { 'content-type': 'multipart/form-data' }), 400, 'bad_request', 'boundary')
      expect(await nameNow()).toBe('Changed')
    })

    test.each([
      ['a JSON body', { 'content-type': 'application/json' }, 415, 'unsupported_media_type', 'multipart/form-data'],
      ['a packed body', { 'content-encoding': 'gzip' }, 415, 'unsupported_media_type', 'Content-Encoding'],
    ] as const)('%s is refused', async (_title, headers, status, code, words) => {
      await expectRefusal(await restore(Buffer.from('{}'), '', headers), status, code, words)
    })

    test('no body, and parameters that there are not, are 400', async () => {
      await expectRefusal(await fetch(`${server.url}/db/restore`, { method: 'POST' }), 400, 'bad_request', 'There is no file.')
      await expectRefusal(await restore(backup, '?dryrun=1'), 400, 'invalid_query', 'Parameters: integrity_check, dry_run.')
      await expectRefusal(await restore(backup, '?integrity_check=2'), 400, 'invalid_query', 'integrity_check is true or false.')
      const undo = await fetch(`${server.url}/db/restore/undo?integrity_check=1`, { method: 'POST' })
      await expectRefusal(undo, 400, 'invalid_query', 'Parameters: dry_run.')
    })

    test('another one meanwhile is 409', async () => {
      const first = await begin(
        server.port,
        [...rawHead, `Content-Length: ${backup.length}`, 'Connection: close'],
        backup.subarray(0, 5000),
      )
      await vi.waitFor(async () => expect(await server.leftovers()).not.toEqual([]), { timeout: 20_000 })
      await expectRefusal(await restore(formOf(backup)), 409, 'state_conflict', 'Another restore is under way')
      first.write(backup.subarray(5000))
      expect(await text(first)).toMatch(/^HTTP\/1\.1 200 /)
    })

    test('an upload that is aborted leaves nothing, and changes nothing', async () => {
      await change()
      for (const head of [rawHead, ['POST /db/restore HTTP/1.1', 'Content-Type: multipart/form-data; boundary=x']]) {
        const part = head === rawHead ? '' : '--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        const socket = await begin(server.port, [...head, 'Content-Length: 100000000'], Buffer.concat([Buffer.from(part), backup]))
        await vi.waitFor(async () => expect(await server.leftovers()).not.toEqual([]), { timeout: 20_000 })
        socket.destroy()
        await expectNothingLeft()
      }
      expect(await nameNow()).toBe('Changed')
      const dry = await restore(formOf(backup), '?dry_run=yes')
      expect(dry.status).toBe(200)
    })

    test('readers see no error meanwhile, and writers at most 503 with Retry-After', async () => {
      let running = true
      const statuses = { read: new Set<number>(), written: new Set<number>() }
      const readers = (async () => {
        while (running) statuses.read.add((await fetch(`${server.url}/users/1`)).status)
      })()
      const writers = (async () => {
        for (let round = 0; running; round++) {
          const response = await fetch(`${server.url}/tags`, {
            method: 'POST',
            headers: { 'x-user': 'tester', 'content-type': 'application/json' },
            body: JSON.stringify({ id: `${engine.name}-${round}-${Date.now()}` }),
          })
          statuses.written.add(response.status)
          if (response.status === 503) expect(response.headers.get('retry-after')).toMatch(/^\d+$/)
        }
      })()
      expect((await restore(formOf(backup))).status).toBe(200)
      running = false
      await Promise.all([readers, writers])
      expect([...statuses.read]).toEqual([200])
      expect([...statuses.written].filter((status) => status !== 503)).toEqual([201])
    })
  })

  test('uploads have a limit of their own, which the length or the stream passes', async () => {
    const other = await listen(engine, { uploadLimit: 3_000_000, bodyLimit: 100, operators: () => true, actor: () => 'olga' })
    try {
      const send = (body: NonNullable<RequestInit['body']>, headers: Record<string, string> = {}) =>
        fetch(`${other.url}/db/restore?dry_run=true`, {
          method: 'POST',
          body,
          headers,
          ...(body instanceof ReadableStream && { duplex: 'half' }),
        })
      const words = 'larger than the 3000000 bytes'
      const raw = { 'content-type': 'application/octet-stream' }
      const large = new Uint8Array(3_000_001)
      await expectRefusal(await send(large, raw), 413, 'payload_too_large', words)
      await expectRefusal(await send(formOf(large)), 413, 'payload_too_large', words)
      await expectRefusal(await send(new Blob([large]).stream(), raw), 413, 'payload_too_large', words)
      expect((await send(formOf(await backupOf(other)))).status).toBe(200)
      expect(await other.leftovers()).toEqual([])
    } finally {
      await other.app.close()
    }
  })

  test('a server’s time limit of requests spares uploads', async () => {
    const { users, products, tags } = makeAccessors()
    const databaseUrl = await engine.freshUrl()
    const app = await createServer({ accessors: [users, products, tags], databaseUrl, port: 0, logger: false, requestTimeout: 300 })
    try {
      const port = Number(new URL(app.listeningOrigin).port)
      const upload = await begin(port, [...rawHead, 'Content-Length: 8', 'Connection: close'], 'SQLi')
      const late = await begin(port, ['POST /users HTTP/1.1', 'Content-Type: application/json', 'Content-Length: 8'], '{"na')
      const later = await text(late)
      const again = await begin(port, ['POST /users HTTP/1.1', 'Content-Type: application/json', 'Content-Length: 8'], '{"na')
      expect([later, await text(again)]).toEqual([expect.stringMatching(/^HTTP\/1\.1 408 /), expect.stringMatching(/^HTTP\/1\.1 408 /)])
      upload.write('te f')
      expect(await text(upload)).toMatch(/^HTTP\/1\.1 422 /)
    } finally {
      await app.close()
    }
  })
})
