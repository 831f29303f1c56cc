import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { defineModel, ModelAccessor, moveDatabase, openStorage, type Storage, type StorageOptions } from '@strongroom/core'
import { asSuperuser, freePort, tempFolder } from '@strongroom/testkit'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { everyOf, rejectionOf } from '../support.ts'

/** Debian's PgBouncer in transaction mode, with fewer connections to the server than the storage has to it. */
describe("Debian's pgbouncer", () => {
  let bouncer: ChildProcess
  let isServing = false
  let direct: string
  let url: string
  const database = `bounced_${crypto.randomUUID().replaceAll('-', '')}`
  const cleaning: (() => Promise<unknown>)[] = []
  const opened: Storage[] = []

  beforeAll(async () => {
    const server = await asSuperuser(async (client) => {
      await client.query(`CREATE DATABASE ${database}`)
      return { host: client.host, port: client.port, user: client.user ?? '', password: client.password }
    })
    const folder = await tempFolder('pgbouncer')
    const port = await freePort()
    const login = `user=${server.user}${server.password ? ` password=${server.password}` : ''}`
    const settings = [
      '[databases]',
      `${database} = host=${server.host} port=${server.port} dbname=${database} ${login}`,
      // Under a name of its own it hands out sessions, each for as long as somebody is connected.
      `${database}_sessions = host=${server.host} port=${server.port} dbname=${database} ${login} pool_mode=session`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = any',
      'pool_mode = transaction',
      'default_pool_size = 3',
      'ignore_startup_parameters = extra_float_digits',
    ]
    await chmod(folder.path, 0o755)
    const file = join(folder.path, 'pgbouncer.ini')
    await writeFile(file, `${settings.join('\n')}\n`)
    const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
    const path = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` }
    // Debian's 1.18 sometimes ends when a statement is cancelled through it (pgbouncer issue 822, mended in 1.19): it is started again, as systemd does.
    const start = (): void => {
      bouncer = spawn('pgbouncer', [file], { ...nobody, env: path, stdio: ['ignore', 'ignore', 'pipe'] })
      bouncer.once('exit', () => {
        if (isServing) start()
      })
    }
    start()
    cleaning.push(folder.remove)
    await listening(bouncer, port)
    isServing = true
    direct = `postgres://${server.user}${server.password ? `:${server.password}` : ''}@${server.host}:${server.port}/${database}`
    url = `postgres://any@127.0.0.1:${port}/${database}`
  })
  afterAll(async () => {
    for (const storage of opened) await storage.close()
    isServing = false
    const exited = once(bouncer, 'exit')
    bouncer.kill('SIGTERM')
    await exited
    await asSuperuser((client) => client.query(`DROP DATABASE ${database} WITH (FORCE)`))
    for (const clean of cleaning) await clean()
  })

  const Note = defineModel('notes', { text: Type.String(), count: Type.Integer() }, { unique: [['text']] })
  const open = async (options: Partial<StorageOptions> = {}): Promise<{ storage: Storage; notes: ModelAccessor<typeof Note> }> => {
    const notes = new ModelAccessor(Note, 'notes')
    const storage = await openStorage({ url, accessors: [notes], postgres: { pooler: 'transaction', directUrl: direct }, ...options })
    opened.push(storage)
    return { storage, notes }
  }

  test('serves writes, reads, transactions and streams of many callers at once', async () => {
    const { storage, notes } = await open()
    const { id } = await notes.insert({ text: 'shared', count: 0 })
    await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        await notes.insert({ text: `note ${index}`, count: index })
        await storage.transaction(async () => {
          const row = await notes.get(id)
          await storage.transaction(() => notes.insert({ text: `inner ${index}`, count: row?.count ?? -1 }))
        })
        expect(await notes.find({ where: { text: { startsWith: 'note ' } }, limit: 3, orderBy: 'count' })).toHaveLength(3)
        expect((await sql<{ n: number }>`SELECT count(*)::int AS n FROM notes`.execute(storage.kysely)).rows[0]?.n).toBeGreaterThan(0)
      }),
    )
    expect(await notes.count()).toBe(121)
    expect(await everyOf(notes.stream({ where: { text: { startsWith: 'inner' } } }))).toHaveLength(60)
    expect(await storage.audit.count({ operation: 'create', component: 'notes' })).toBe(121)
    expect(await rejectionOf(notes.insert({ text: 'shared', count: 1 }))).toMatchObject({ code: 'unique_conflict' })
    expect((await notes.update(id, { count: 5 }))?.count).toBe(5)
    expect((await notes.insert({ text: 'tried', count: 1 }, { dryRun: true })).text).toBe('tried')
    expect(await notes.exists({ text: 'tried' })).toBe(false)
  })

  test('leaves nothing of a caller on a session that the next one gets: limits and locks end with their transaction', async () => {
    const { storage } = await open({ transactionTimeLimit: 300 })
    const slow = storage.transaction(async (session) => void (await sql`SELECT pg_sleep(60)`.execute(session.kysely)))
    expect(await rejectionOf(slow)).toMatchObject({ code: 'transaction_timeout' })
    const told = await Promise.all(
      Array.from(
        { length: 20 },
        async () => (await sql<{ limit: string }>`SELECT current_setting('statement_timeout') AS limit`.execute(storage.kysely)).rows,
      ),
    )
    expect(new Set(told.flat().map(({ limit }) => limit))).toEqual(new Set(['0']))
    const locks = await asSuperuser((client) =>
      client.query(
        `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = '${database}')`,
      ),
    )
    expect(locks.rows).toEqual([])
  })

  test('lets backups and restores by, who go to the server itself, and are refused where they cannot', async () => {
    const { storage, notes } = await open()
    const folder = await tempFolder('pgbouncer-backup')
    cleaning.push(folder.remove)
    const file = join(folder.path, 'backup.sqlite')
    await storage.backup(file)
    const before = await notes.count()
    await notes.insert({ text: 'later', count: 0 })
    await storage.restore(file)
    expect(await notes.count()).toBe(before)
    const pooled = await open({ postgres: { pooler: 'transaction' } })
    expect(await rejectionOf(pooled.storage.backup(join(folder.path, 'no.sqlite')))).toMatchObject({
      code: 'invalid_options',
      message: expect.stringContaining('directUrl'),
    })
  })

  test('is refused for a move, which keeps a lock and a snapshot, where it does not leave a session to whoever has it', async () => {
    const folder = await tempFolder('pgbouncer-move')
    cleaning.push(folder.remove)
    const [file, back] = ['app', 'back'].map((name) => `sqlite:${join(folder.path, name)}.db`) as [string, string]
    const notes = new ModelAccessor(Note, 'notes')
    const storage = await openStorage({ url: file, accessors: [notes] })
    await notes.insert({ text: 'moved', count: 1 })
    await storage.close()
    // So that there is something to move from it.
    await open()
    const refused = { code: 'invalid_options', message: expect.stringContaining('pooler') }
    expect(await rejectionOf(moveDatabase({ from: file, to: url }))).toMatchObject(refused)
    expect(await rejectionOf(moveDatabase({ from: url, to: back }))).toMatchObject(refused)
    expect(existsSync(back.slice('sqlite:'.length))).toBe(false)
    expect((await moveDatabase({ from: `${url}_sessions`, to: back })).tables.map(({ table }) => table)).toContain('notes')
  })

  test('takes rows that are copied, and goes on where they are refused', async () => {
    const { storage, notes } = await open()
    const rows = (prefix: string) => Array.from({ length: 2_500 }, (_, count) => ({ text: `${prefix} ${count}`, count }))
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((prefix) => notes.insertMany(rows(`copied ${prefix}`))))
    await storage.transaction(async () => {
      const refused = storage.transaction(() => notes.insertMany([...rows('other'), { text: 'copied a 7', count: 0 }]))
      expect(await rejectionOf(refused)).toMatchObject({ code: 'unique_conflict', fields: ['text'] })
      await notes.insertMany(rows('copied f'))
    })
    expect(await notes.count({ text: { startsWith: 'copied ' } })).toBe(6 * 2_500)
    expect(await notes.count({ text: { startsWith: 'other' } })).toBe(0)
    await storage.audit.waitUntilSealed()
    expect(await storage.audit.verify()).toMatchObject({ ok: true })
    await notes.purgeMany({ text: { startsWith: 'copied ' } })
  })

  test('is refused where its sessions speak in a way that cannot be read', async () => {
    await asSuperuser((client) => client.query(`ALTER DATABASE ${database} SET bytea_output = 'escape'`))
    try {
      await asSuperuser((client) =>
        client.query(`SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '${database}'`),
      )
      expect(await rejectionOf(open())).toMatchObject({ code: 'invalid_options', message: expect.stringContaining('bytea_output') })
    } finally {
      await asSuperuser((client) => client.query(`ALTER DATABASE ${database} RESET bytea_output`))
    }
  })
})

/** Resolves when it takes connections; rejects with what it said when it ends before. */
async function listening(child: ChildProcess, port: number): Promise<void> {
  let log = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  let failure: Error | undefined
  child.once('error', (error) => {
    failure = error
  })
  child.once('exit', (code) => {
    failure ??= new Error(`pgbouncer ended with ${code}:\n${log}`)
  })
  for (;;) {
    if (failure) throw failure
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => socket.once('connect', () => resolve(true)).once('error', () => resolve(false)))
    socket.destroy()
    if (isOpen) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
