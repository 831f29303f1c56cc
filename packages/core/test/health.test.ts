import { rename, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { defineModel, folderTarget, ModelAccessor, openStorage, StorageUnavailableError } from '@strongroom/core'
import { describeEngines, needs, stallingProxy } from '@strongroom/testkit'
import Database from 'better-sqlite3'
import { sql } from 'kysely'
import pg from 'pg'
import { Type } from 'typebox'
import { expect, onTestFinished, test, vi } from 'vitest'
import { gate, rejectionOf, storagesOn } from './support.ts'
import { freshFolder } from './transfer/schedule-support.ts'

const Note = defineModel('notes', { text: Type.Optional(Type.String()) }, { indexes: [['text']] })
const thisFile = fileURLToPath(import.meta.url)

describeEngines('storage.health', (engine) => {
  const open = storagesOn(engine)
  const start = async (options: Parameters<typeof open>[1] = {}) => {
    const notes = new ModelAccessor(Note, 'notes')
    return { notes, storage: await open([notes], options) }
  }

  test('tells what the database is, how large, and that its tables fit', async () => {
    const { storage } = await start()
    expect(await storage.health()).toEqual({
      engine: expect.stringMatching(/^(SQLite|PostgreSQL) \d+\.\d+/),
      latency: expect.any(Number),
      databaseBytes: expect.any(Number),
      walBytes: engine.has('oneFile') ? expect.any(Number) : null,
      freeDiskBytes: engine.has('oneFile') ? expect.any(Number) : null,
      schemaDifferences: [],
      schemaLeftovers: [],
      migrations: { pending: [], changed: [], missing: [] },
      lastBackup: null,
      backupUnderWay: null,
      backupError: null,
      queue: { running: 0, waiting: 0, longestWait: 0 },
      audit: { epoch: 1, lastEntry: null, sealLag: 0 },
    })
    await storage.ping()
  })

  test('tells where the log stands', async () => {
    const { notes, storage } = await start()
    await notes.insertMany([{ text: 'a' }, { text: 'b' }])
    const [last] = await storage.audit.find({ limit: 1 })
    expect((await storage.health()).audit).toMatchObject({ epoch: 1, lastEntry: { id: 2, timestamp: last?.timestamp } })
    await vi.waitFor(async () => expect((await storage.health()).audit.sealLag).toBe(0), 10_000)
  })

  test('tells what is missing when somebody has changed the tables since', async () => {
    const { storage } = await start()
    await storage.transaction((session) => sql`DROP TABLE notes`.execute(session.kysely), { unaudited: true })
    expect((await storage.health()).schemaDifferences).toEqual([expect.stringContaining('notes')])
  })

  test('counts who writes and who waits', async () => {
    const { notes, storage } = await start({ postgres: { poolSize: 1 } })
    const [inside, goOn] = [gate(), gate()]
    const holder = storage.transaction(async () => {
      inside.open()
      await goOn.opened
    })
    await inside.opened
    const waiting = [notes.insert({}), notes.insert({})]
    // On the one connection there is, the question waits as well.
    const health = storage.health()
    const answered = engine.has('oneFile') ? await health : undefined
    goOn.open()
    const { queue } = answered ?? (await health)
    expect(queue).toEqual({ running: 1, waiting: 2, longestWait: expect.any(Number) })
    expect(queue.longestWait).toBeGreaterThan(0)
    await Promise.all([holder, ...waiting])
    expect((await storage.health()).queue).toEqual({ running: 0, waiting: 0, longestWait: 0 })
  })

  test('tells the last backup, its age and its verdict', async () => {
    const place = await freshFolder()
    const kept = gate()
    const logger = { info: () => kept.open(), warn: () => undefined, error: () => undefined }
    const { storage } = await start({ backups: { every: '1d', target: place }, logger })
    await kept.opened
    const [backup] = await storage.backups()
    const health = await storage.health()
    expect(health.lastBackup).toEqual({ ...backup, verified: true, age: expect.any(Number) })
    expect(health.lastBackup?.place).toBe(place)
    expect(health.backupError).toBeNull()
  })

  test('tells the backup that is being made', async () => {
    const begun = gate()
    const target = {
      ...folderTarget(await freshFolder()),
      write: () => {
        begun.open()
        return new Promise<never>(() => undefined)
      },
    }
    const { storage } = await start({ backups: { every: '1d', target } })
    await begun.opened
    const [{ name, place, createdAt } = {}] = await storage.backups()
    const { lastBackup, backupUnderWay } = await storage.health()
    expect({ lastBackup, backupUnderWay }).toEqual({
      lastBackup: null,
      backupUnderWay: { name, place, createdAt, age: expect.any(Number) },
    })
  })

  test('tells why the last backup failed', async () => {
    const failed = gate()
    const logger = { info: () => undefined, warn: () => undefined, error: () => failed.open() }
    // A folder cannot be made inside of a file.
    const { storage } = await start({ backups: { every: '1d', target: `${thisFile}/folder` }, logger })
    await failed.opened
    expect(await storage.health()).toMatchObject({ lastBackup: null, backupError: expect.stringContaining('ENOTDIR') })
  })

  test('is refused once the storage is closed', async () => {
    const { storage } = await start()
    await storage.close()
    for (const ask of [() => storage.ping(), () => storage.health(), () => storage.backups()])
      expect(await rejectionOf(ask())).toMatchObject({ code: 'storage_closed' })
  })

  needs(engine, 'oneFile', () => {
    test('measures the database and its log', async () => {
      const path = (await engine.freshUrl()).slice('sqlite:'.length)
      const { notes, storage } = await start({ url: `sqlite:${path}` })
      await notes.insert({ text: 'a'.repeat(100_000) })
      const { databaseBytes, walBytes } = await storage.health()
      expect(walBytes).toBe((await stat(`${path}-wal`)).size)
      await storage.close()
      // Now that the log has been brought into the file.
      expect((await stat(path)).size).toBe(databaseBytes)
      expect(walBytes).toBeGreaterThan(100_000)
    })

    test('is refused where the file is gone, which reads and writes do not notice', async () => {
      const path = (await engine.freshUrl()).slice('sqlite:'.length)
      const { notes, storage } = await start({ url: `sqlite:${path}` })
      await rename(path, `${path}-elsewhere`)
      await notes.insert({ text: 'lost' })
      expect(await rejectionOf(storage.health())).toMatchObject({ code: 'storage_unavailable', message: expect.not.stringContaining('/') })
      await rename(`${path}-elsewhere`, path)
      await storage.health()
    })

    test('answers while somebody else holds the lock, and shows who waits for it', async () => {
      const path = (await engine.freshUrl()).slice('sqlite:'.length)
      const { notes, storage } = await start({ url: `sqlite:${path}` })
      const other = new Database(path)
      other.exec('BEGIN IMMEDIATE')
      const insert = notes.insert({ text: 'ours' })
      let health = await storage.health()
      while (health.queue.longestWait < 100) health = await storage.health()
      expect(health.queue.waiting).toBe(1)
      await storage.ping()
      other.exec('COMMIT')
      other.close()
      await insert
    })
  })

  needs(engine, 'sessions', () => {
    test('takes one connection, however many ask while the answer does not come', async () => {
      const url = await engine.freshUrl()
      const { notes, storage } = await start({ url, postgres: { poolSize: 4 } })
      const other = new pg.Client(url)
      await other.connect()
      onTestFinished(() => other.end())
      await other.query('BEGIN; LOCK TABLE strongroom_audit_head IN ACCESS EXCLUSIVE MODE')
      const asked = Array.from({ length: 20 }, () => storage.ping())
      const blocked = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
      await vi.waitFor(async () => expect((await other.query(blocked)).rowCount).toBeGreaterThan(0))
      expect(await notes.count()).toBe(0)
      expect((await other.query(blocked)).rowCount).toBe(1)
      await other.query('ROLLBACK')
      await Promise.all(asked)
    })

    test('tells how long entries have waited for their seal', async () => {
      const url = await engine.freshUrl()
      const { notes, storage } = await start({ url })
      const other = new pg.Client(url)
      await other.connect()
      onTestFinished(() => other.end())
      await other.query('BEGIN; SELECT FROM strongroom_audit_head FOR UPDATE')
      const { id } = await notes.insert({ text: 'first' })
      await notes.update(id, { text: 'second' })
      const first = (await storage.audit.find({ limit: 2 })).at(-1)
      const waited = (): number => Date.now() - (first?.timestamp.getTime() ?? 0)
      await vi.waitFor(async () => expect((await storage.health()).audit.sealLag).toBeGreaterThan(1_000), 10_000)
      const least = waited()
      const { sealLag } = (await storage.health()).audit
      // That of the oldest, however many came after it.
      expect(sealLag).toBeGreaterThanOrEqual(least)
      expect(sealLag).toBeLessThanOrEqual(waited())
      await other.query('ROLLBACK')
      await vi.waitFor(async () => expect((await storage.health()).audit.sealLag).toBe(0), 10_000)
    })

    test('gives up on a server that hangs, and comes back with it', async () => {
      const proxy = await stallingProxy(await engine.freshUrl())
      const storage = await openStorage({ url: proxy.url, accessors: [], postgres: { poolSize: 2 } })
      onTestFinished(async () => {
        proxy.goOn()
        await storage.close()
        await proxy.close()
      })
      await storage.ping()
      proxy.stall()
      let turns = 0
      const ticking = setInterval(() => turns++, 10)
      const errors = await Promise.all([storage.ping(), storage.health()].map(rejectionOf))
      clearInterval(ticking)
      for (const error of errors) {
        expect(error).toBeInstanceOf(StorageUnavailableError)
        expect(error).toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining('within 2000 milliseconds') })
      }
      expect(turns).toBeGreaterThan(20)
      proxy.goOn()
      await storage.ping()
      expect((await storage.health()).schemaDifferences).toEqual([])
    })
  })
})
