import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { openStorage } from '@strongroom/core'
import { freePort, tempFolder } from '@strongroom/testkit'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { makeAccessors } from './models.ts'
import { freshFolder, models, startServer, strongroom } from './support.ts'

let server: Awaited<ReturnType<typeof startServer>>
beforeAll(async () => {
  const folder = await tempFolder('cli')
  server = await startServer({ freshUrl: async () => `sqlite:${folder.path}/app.db` }, { uploadLimit: 200_000 })
  return folder.remove
})
afterAll(() => server.app.close())

/** A server that is none of ours. */
async function strangeServer(answer: Parameters<typeof createServer>[1]): Promise<string> {
  const strange = createServer(answer).listen(0, '127.0.0.1')
  onTestFinished(() => {
    strange.closeAllConnections()
    strange.close()
  })
  await new Promise((resolve) => strange.once('listening', resolve))
  return `http://127.0.0.1:${(strange.address() as AddressInfo).port}`
}

test('files are not replaced unless that is said, and nothing else is left', async () => {
  const folder = await freshFolder()
  const file = join(folder, 'b.sqlite')
  writeFileSync(file, 'mine')
  const args = ['backup', server.url, '-o', file]
  expect(await strongroom(args)).toMatchObject({ code: 2, stderr: expect.stringContaining('--force') })
  expect(readFileSync(file, 'utf8')).toBe('mine')
  expect((await strongroom([...args, '--force', '--quiet'])).stdout).toBe('')
  expect(readFileSync(file).subarray(0, 15).toString()).toBe('SQLite format 3')
  expect(await strongroom(['backup', server.url, '-o', join(folder, 'none', 'b.sqlite')])).toMatchObject({ code: 2 })
  expect((await strongroom(['backup', server.url, '-o', join(folder, 'c')], { signal: AbortSignal.abort() })).code).toBe(130)
  expect(readdirSync(folder)).toEqual(['b.sqlite'])
})

test('a download that breaks off, and one of another program, leave no file', async () => {
  const folder = await freshFolder()
  const backup = (url: string) => strongroom(['backup', url, '-o', join(folder, 'b.sqlite'), '--json'])
  const broken = await strangeServer((_request, reply) => {
    reply.writeHead(200, { 'content-type': 'application/x-sqlite3', 'content-length': '100' }).write('SQLite')
    setImmediate(() => reply.destroy())
  })
  const cut = await backup(broken)
  expect([cut.code, cut.json.error.message]).toEqual([4, expect.stringContaining('broke off its answer')])
  const page = await strangeServer((_request, reply) => reply.writeHead(200, { 'content-type': 'text/html' }).end('<p>Hello'))
  expect(await backup(page)).toMatchObject({ code: 2, stderr: expect.stringContaining('is no Strongroom server') })
  const lost = await strangeServer((_request, reply) => reply.writeHead(404).end())
  expect(await backup(lost)).toMatchObject({ code: 1, stderr: expect.stringContaining('answered 404: are /db and the prefix') })
  expect(await backup(`http://127.0.0.1:${await freePort()}`)).toMatchObject({ code: 4, json: { error: { code: 'unreachable' } } })
  expect(readdirSync(folder)).toEqual([])
})

test('a command that is ended in the middle of a download leaves no file', async () => {
  const folder = await freshFolder()
  const ending = new AbortController()
  const slow = await strangeServer((_request, reply) => {
    reply.writeHead(200, { 'content-type': 'application/zip' }).write('PK')
    setImmediate(() => ending.abort())
  })
  const { code, stderr } = await strongroom(['export', slow, '-o', join(folder, 'x.zip')], { signal: ending.signal })
  expect([code, stderr, readdirSync(folder)]).toEqual([130, '', []])
})

test('files come from and go to standard streams', async () => {
  const { bytes, code } = await strongroom(['backup', server.url, '-o', '-'])
  expect([code, bytes.subarray(0, 15).toString()]).toEqual([0, 'SQLite format 3'])
  const dry = await strongroom(['restore', '-', '--dry-run', '--json', '--into', server.url], { stdin: Readable.from([bytes]) })
  expect(dry.json).toMatchObject({ restored: false, bytes: bytes.length })
  expect(await strongroom(['restore', '-', '--into', server.url], { stdin: Readable.from([bytes]) })).toMatchObject({ code: 2 })
  expect(await strongroom(['backup', server.url, '-o', '-', '--json'])).toMatchObject({
    code: 2,
    stdout: expect.stringContaining('wrong_use'),
  })
})

test('what a server says against an upload is told, also when it has not read all of it', async () => {
  const file = join(await freshFolder(), 'large.sqlite')
  writeFileSync(file, Buffer.alloc(30_000_000))
  const { code, json } = await strongroom(['restore', file, '--yes', '--json', '--into', server.url])
  expect([code, json.error.code]).toEqual([3, 'payload_too_large'])
})

test('a server that wraps its answers, below a prefix, is understood', async () => {
  const folder = await freshFolder()
  writeFileSync(join(folder, 'tasks.csv'), 'title\nWrapped\n')
  const options = {
    responses: 'envelope',
    prefix: '/api',
    operators: ({ headers }) => headers.authorization === 'Bearer letmein',
  } as const satisfies Parameters<typeof startServer>[1]
  const wrapping = await startServer({ freshUrl: async () => `sqlite:${folder}/wrapped.db` }, options)
  onTestFinished(() => wrapping.app.close())
  const url = `${wrapping.url}/api/`
  const env = { STRONGROOM_URL: url, STRONGROOM_TOKEN: 'letmein' }
  expect((await strongroom(['health', '--json'], { env })).json).toMatchObject({ status: 'ok', audit: { last_entry: { id: 3 } } })
  expect(JSON.parse((await strongroom(['audit', '--limit', '1', '--json'], { env })).stdout)).toMatchObject({ id: 3 })
  expect((await strongroom(['import', join(folder, 'tasks.csv'), '--json'], { env })).json).toMatchObject({ applied: true })
  const login = ['--header', 'Authorization: Bearer letmein']
  expect((await strongroom(['restore', join(folder, 'tasks.csv'), '--yes', '--json', '--into', url, ...login])).json).toMatchObject({
    error: { code: 'validation_failed', status: 422, request_id: expect.any(String) },
  })
  expect(await strongroom(['audit', url])).toMatchObject({ code: 1, stderr: expect.stringMatching(/for operators.*\n {2}request id: /) })
})

test('on a terminal a restore is rehearsed and asked about, and without a yes nothing is restored', async () => {
  const file = join(await freshFolder(), 'b.sqlite')
  await strongroom(['backup', server.url, '-o', file])
  const restore = ['restore', file, '--into', server.url]
  const before = await server.storage.audit.count()
  expect(await strongroom(restore)).toMatchObject({ code: 2, stderr: expect.stringContaining('say --yes') })
  expect(await strongroom(restore, { typed: 'y\n' })).toMatchObject({ code: 1, stderr: expect.stringContaining('Nothing was changed') })
  expect(await server.storage.audit.count()).toBe(before)
  const done = await strongroom([...restore, '--json'], { typed: 'yes\n' })
  expect([done.code, done.json.restored, done.stderr]).toEqual([
    0,
    true,
    expect.stringMatching(/ROWS NOW[\s\S]*A dry run[\s\S]*\[yes\/no\]/),
  ])
})

test('a database and its tables are made only where that is said', async () => {
  const folder = await freshFolder()
  const file = join(folder, 'new.db')
  writeFileSync(join(folder, 'users.csv'), 'name\nEve\n')
  const importInto = (db: string, ...more: string[]) =>
    strongroom(['import', join(folder, 'users.csv'), '--into', db, '--accessors', models, ...more])
  expect(await importInto(file)).toMatchObject({ code: 2, stderr: expect.stringContaining('Say --create') })
  expect(await importInto(file, '--create', '--dry-run')).toMatchObject({ code: 2 })
  expect(existsSync(file)).toBe(false)
  expect((await importInto(file, '--create')).code).toBe(0)
  const other = await openStorage({ url: `sqlite:${join(folder, 'other.db')}`, accessors: [] })
  await other.close()
  const unfit = await importInto(join(folder, 'other.db'))
  expect([unfit.code, unfit.stderr]).toEqual([3, expect.stringMatching(/does not fit the models:\n- Table users[\s\S]*Say --create/)])
  expect(unfit.stderr).not.toContain('createTables')
})

test('accessors come from a module that exports them', async () => {
  const folder = await freshFolder()
  writeFileSync(join(folder, 'empty.mjs'), 'export const nothing = 1\n')
  writeFileSync(join(folder, 'broken.mjs'), `throw new Error("postgres://${['me', 'hunter2'].join(':')}@db/app is down")\n`)
  const draw = (module: string) => strongroom(['diagram', server.databaseUrl, '--accessors', join(folder, module)])
  expect(await draw('none.ts')).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no module') })
  expect(await draw('empty.mjs')).toMatchObject({ code: 2, stderr: expect.stringContaining('exports no accessor') })
  const broken = await draw('broken.mjs')
  expect([broken.code, broken.stderr]).toEqual([1, expect.stringContaining('postgres://db/app is down')])
})

test('a backup file is audited without changing it, by people and by scripts', async () => {
  const folder = await freshFolder()
  const file = join(folder, 'backup.sqlite')
  const storage = await openStorage({ url: `sqlite:${join(folder, 'app.db')}`, accessors: makeAccessors() })
  const [users] = makeAccessors()
  await storage.accessor(users.model).insert({ name: '\u009b31mEve' }, { actor: 'admin\u202e' })
  await storage.backup(file)
  await storage.close()
  const before = [readdirSync(folder), readFileSync(file)]
  const table = await strongroom(['audit', file, '--since', '2026-01-01', '--accessors', models])
  expect([table.code, table.stdout]).toEqual([
    0,
    expect.stringMatching(
      /^TIME +ACTOR +OPERATION +RECORD +CHANGES\n\S+Z {2}admin\\u\{202e\} {2}create {5}users\/1 {2}id: 1, name: "\\u\{9b\}31mEve"/,
    ),
  ])
  const lines = await strongroom(['audit', file, '--json', '--actor', 'admin\u202e'])
  expect(JSON.parse(lines.stdout)).toMatchObject({ actor: 'admin\u202e', record_id: 1, after: { name: '\u009b31mEve' } })
  expect(await strongroom(['audit', file, '--until', '2026-01-01'])).toMatchObject({
    code: 0,
    stdout: '',
    stderr: 'There are no such entries.\n',
  })
  expect([readdirSync(folder), readFileSync(file)]).toEqual(before)
  writeFileSync(join(folder, 'text'), 'no database, but long enough for a header of one'.repeat(9))
  expect(await strongroom(['audit', join(folder, 'text')])).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('is no SQLite database'),
  })
  expect(await strongroom(['audit', join(folder, 'none')])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('There is no database file'),
  })
})
