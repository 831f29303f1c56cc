import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineModel, folderTarget, type Migration, ModelAccessor, openStorage } from '@strongroom/core'
import { describeEngines, needs, stallingProxy } from '@strongroom/testkit'
import Fastify from 'fastify'
import { Type } from 'typebox'
import { expect, onTestFinished, test } from 'vitest'
import { bootstrap } from '../src/index.ts'
import { addUser, expectProblem, startServer } from './support.ts'

describeEngines('the health of the database', (engine) => {
  test('in full for operators', async () => {
    const server = await startServer(engine)
    await addUser(server)
    const response = await server.app.inject({ url: '/db/health' })
    expect(response.headers['cache-control']).toBe('no-store')
    expect(response.json()).toEqual({
      status: 'ok',
      engine: expect.stringMatching(/^(SQLite|PostgreSQL) \d+\.\d+/),
      latency_ms: expect.any(Number),
      database_bytes: expect.any(Number),
      wal_bytes: engine.has('oneFile') ? expect.any(Number) : null,
      free_disk_bytes: engine.has('oneFile') ? expect.any(Number) : null,
      schema: { fits: true, differences: [], leftovers: [] },
      migrations: { pending: [], changed: [], missing: [] },
      last_backup: null,
      backup_under_way: null,
      backup_error: null,
      queue: { running: 0, waiting: 0, longest_wait_ms: 0 },
      audit: { epoch: 1, last_entry: { id: 1, timestamp: expect.stringMatching(/Z$/) }, seal_lag_ms: expect.any(Number) },
    })
  })

  test('knows the migrations that a start has applied', async () => {
    const url = await engine.freshUrl()
    const Before = defineModel('people', { name: Type.String() })
    const before = await openStorage({ url, accessors: [new ModelAccessor(Before, 'people')] })
    await before.accessor(Before).insert({ name: 'Alice' })
    await before.close()
    const After = defineModel('people', { full_name: Type.String() }, { renamedFields: { full_name: 'name' } })
    const rename: Migration = {
      name: '001_full_name',
      up: (_db, schema) => schema.alterTable('people', { renameFields: { name: 'full_name' } }),
    }
    const app = Fastify()
    onTestFinished(() => app.close())
    await bootstrap(app, { databaseUrl: url, accessors: [new ModelAccessor(After, 'people')], migrations: [rename] })
    expect((await app.inject({ url: '/people' })).json()).toEqual([{ id: 1, full_name: 'Alice' }])
    expect((await app.inject({ url: '/db/health' })).json()).toMatchObject({
      schema: { fits: true },
      migrations: { pending: [], changed: [], missing: [] },
    })
    const entries = (await app.inject({ url: '/db/audit?component=strongroom_migrations' })).json()
    expect(entries).toMatchObject([{ operation: 'create', record_id: '001_full_name' }])
    await expect(
      bootstrap(Fastify(), {
        databaseUrl: url,
        accessors: [new ModelAccessor(After, 'people')],
        migrations: [rename, { name: '002', up: () => undefined }],
        createTables: false,
      }),
    ).rejects.toMatchObject({ code: 'schema_mismatch', differences: ['The migration 002 is not applied.'] })
  })

  test('in one word for everybody else', async () => {
    const { app } = await startServer(engine)
    expect((await app.inject({ url: '/db/health', remoteAddress: '10.0.0.1' })).json()).toEqual({ status: 'ok' })
    expect((await app.inject({ url: '/ready', remoteAddress: '10.0.0.1' })).json()).toEqual({ status: 'ok' })
  })

  test('knows the scheduled backups, which operators can list', async () => {
    const folder = folderTarget(await mkdtemp(join(tmpdir(), 'strongroom-health-')))
    const { promise: done, resolve } = Promise.withResolvers<void>()
    let looks = 0
    // The target is looked at before a backup, for its name, and when its verdict is known, for what is too old.
    const list = (): Promise<readonly string[]> => {
      if (++looks === 2) resolve()
      return folder.list()
    }
    const { app } = await startServer(engine, { backups: { every: '1h', target: { ...folder, list } } })
    await done
    const listed = await app.inject({ url: '/db/backups' })
    const backup = {
      name: expect.stringMatching(/^backup-\d{8}T\d{6}Z\.sqlite$/),
      place: folder.place,
      bytes: expect.any(Number),
      created_at: expect.stringMatching(/Z$/),
      verified: true,
      error: null,
    }
    expect(listed.json()).toEqual([backup])
    expect((await app.inject({ url: '/db/health' })).json()).toMatchObject({ last_backup: { ...backup, age_seconds: expect.any(Number) } })
    expect((await app.inject({ url: '/db/backups', remoteAddress: '10.0.0.1' })).statusCode).toBe(403)
    expect((await app.inject({ url: '/db/backups?limit=1' })).statusCode).toBe(400)
  })

  needs(engine, 'sessions', () => {
    test('is 503 while the server hangs, for those who ask whether requests can be served too; the process is alive all the same', async () => {
      const proxy = await stallingProxy(await engine.freshUrl())
      const { app } = await startServer(engine, { databaseUrl: proxy.url })
      onTestFinished(proxy.close)
      proxy.stall()
      const asked = ['/db/health', '/ready'].map((url) => app.inject({ url }))
      expect((await app.inject({ url: '/health' })).statusCode).toBe(200)
      for (const response of await Promise.all(asked)) {
        expect(response.statusCode).toBe(503)
        expectProblem(response)
      }
      proxy.goOn()
      expect((await app.inject({ url: '/ready' })).statusCode).toBe(200)
    })
  })
})
