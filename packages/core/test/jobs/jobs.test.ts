import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { defineModel, type Job, ModelAccessor, openStorage, type Storage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { rejectionOf } from '../support.ts'
import { csv, watchTemporaryFiles } from '../transfer/import-support.ts'

const Item = defineModel('items', { name: Type.String(), code: Type.Optional(Type.Integer()) }, { unique: [['code']] })

/** A CSV file whose last row comes when the test says so. */
function held(): { readonly file: Readable; end(): void } {
  const file = new Readable({ read: () => undefined })
  file.push('name\nfirst\n')
  return {
    file,
    end: () => {
      file.push('last\n')
      file.push(null)
    },
  }
}

describeEngines('jobs', (engine) => {
  watchTemporaryFiles()
  const opened: Storage[] = []
  let url: string
  let storage: Storage
  const logged: string[] = []
  const open = async (): Promise<Storage> => {
    const logger = {
      info: () => undefined,
      warn: () => undefined,
      error: (_message: string, error: unknown) => void logged.push(String(error)),
    }
    const one = (await openStorage({ url, accessors: [new ModelAccessor(Item, 'things')], logger })) as Storage<object> as Storage
    opened.push(one)
    return one
  }
  beforeEach(async () => {
    url = await engine.freshUrl()
    storage = await open()
    logged.length = 0
  })
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close()
  })
  const items = () => storage.accessor(Item).count()
  const start = (file: Readable) => storage.startImport({ items: file }, { actor: 'ann', requestId: 'r' })
  /** As another process sees it, once it is stored. */
  const seenBy = async (other: Storage, id: string, state: Job['state']): Promise<Job> =>
    vi.waitFor(async () => {
      const job = await other.jobs.get(id)
      expect(job?.state).toBe(state)
      return job as Job
    })
  const change = (id: string, values: Record<string, unknown>) =>
    storage.transaction(({ kysely }) => kysely.updateTable('strongroom_jobs').set(values).where('id', '=', id).execute(), {
      unaudited: true,
    })

  test('go on by themselves, and are remembered with what they did', async () => {
    const job = await start(csv('name', 'a', 'b'))
    expect(job).toMatchObject({
      kind: 'import',
      state: 'running',
      actor: 'ann',
      requestId: 'r',
      finishedAt: null,
      result: null,
      error: null,
    })
    const done = await storage.jobs.wait(job.id)
    expect(done).toMatchObject({ state: 'done', finishedAt: expect.any(Date), error: null, cancelRequested: false })
    expect(done.result).toMatchObject({ applied: true, tables: [{ table: 'items', component: 'things', inserted: 2 }] })
    expect(await storage.audit.count({ request_id: 'r', actor: 'ann' })).toBe(2)
    const other = await open()
    const progress = { phase: 'writing', rows: 2, bytes: 12 }
    expect(done.progress).toEqual(progress)
    expect(await other.jobs.get(job.id)).toMatchObject({
      id: job.id,
      state: 'done',
      result: done.result,
      startedAt: job.startedAt,
      progress,
    })
    const second = await start(csv('name', 'c'))
    expect((await storage.jobs.list()).map(({ id }) => id)).toEqual([second.id, job.id])
    await storage.jobs.wait(second.id)
    for (const id of ['nonsense', '00000000-0000-7000-8000-000000000000']) expect(await storage.jobs.get(id)).toBeNull()
  })

  test('are waited for as long as somebody says, be it for months', async () => {
    const { file, end } = held()
    const { id } = await start(file)
    const waiting = storage.jobs.wait(id, { timeout: 60 * 86_400_000 })
    const other = await open()
    for (let look = 0; look < 20; look++) await other.jobs.list()
    end()
    expect(await waiting).toMatchObject({ state: 'done' })
  })

  test('are known to other processes as soon as their id is', async () => {
    const other = await open()
    for (let round = 0; round < 10; round++) {
      const { file, end } = held()
      const { id } = await start(file)
      expect(await other.jobs.get(id)).toMatchObject({ id, state: 'running' })
      end()
      await storage.jobs.wait(id)
    }
  })

  test('a dry run is done, and writes nothing', async () => {
    const { id } = await storage.startImport({ items: csv('name', 'a') }, { dryRun: true })
    expect(await storage.jobs.wait(id)).toMatchObject({
      state: 'done',
      result: { applied: false, dryRun: true, tables: [{ inserted: 1 }] },
    })
    expect(await items()).toBe(0)
    expect((await seenBy(await open(), id, 'done')).progress).toMatchObject({ phase: 'writing', rows: 1 })
  })

  test('rows that are wrong make a job fail, with the report, whatever stands in the file', async () => {
    const { id } = await start(csv('name,code,\0\ud800', 'a,x,y'))
    const job = await storage.jobs.wait(id)
    expect(job).toMatchObject({
      state: 'failed',
      error: { code: 'validation_failed', message: expect.stringContaining('Nothing was written') },
    })
    expect(job.result).toMatchObject({ errorCount: 1 })
    await seenBy(await open(), id, 'failed')
    const conflicting = await start(csv('name,code', 'a,1', 'b,1'))
    expect(await storage.jobs.wait(conflicting.id)).toMatchObject({ state: 'failed', result: { errors: [{ line: 3, field: 'code' }] } })
    expect([await items(), await storage.audit.count()]).toEqual([0, 0])
  })

  test('what went wrong in the server is told to its log alone', async () => {
    const { id } = await storage.startImport({ items: '/nowhere/items.csv' })
    const { error } = await storage.jobs.wait(id)
    expect(error).toEqual({ code: 'internal_error', message: expect.not.stringContaining('/nowhere') })
    expect(logged.join()).toContain('/nowhere/items.csv')
    const bad = await storage.startImport(Readable.from([Buffer.from('no zip')]))
    expect(await storage.jobs.wait(bad.id)).toMatchObject({ state: 'failed', result: null, error: { code: 'validation_failed' } })
  })

  test('waiting ends with the job, with its time, or when nobody waits any more', async () => {
    const { file, end } = held()
    const { id } = await start(file)
    expect(await storage.jobs.wait(id, { timeout: 1 })).toMatchObject({ state: 'running' })
    expect(await storage.jobs.wait(id, { signal: AbortSignal.abort() })).toMatchObject({ state: 'running' })
    const other = await open()
    await seenBy(other, id, 'running')
    expect(await other.jobs.wait(id, { timeout: 1 })).toMatchObject({ state: 'running' })
    const waiting = other.jobs.wait(id)
    end()
    expect(await waiting).toMatchObject({ state: 'done' })
    expect(await rejectionOf(storage.jobs.wait('nonsense'))).toMatchObject({ code: 'not_found' })
  })

  describe('are cancelled', () => {
    test('at once where they run, and leave nothing', async () => {
      const { id } = await start(held().file)
      expect(await storage.jobs.cancel(id)).toMatchObject({ cancelRequested: true })
      expect(await storage.jobs.wait(id)).toMatchObject({ state: 'cancelled', result: null, error: null })
      expect(await seenBy(await open(), id, 'cancelled')).toMatchObject({ cancelRequested: true, progress: { phase: 'reading' } })
      expect([await items(), await storage.audit.count()]).toEqual([0, 0])
      expect(await rejectionOf(storage.jobs.cancel(id))).toMatchObject({
        code: 'state_conflict',
        message: expect.stringContaining('cancelled'),
      })
      expect(await rejectionOf(storage.jobs.cancel('nonsense'))).toMatchObject({ code: 'not_found' })
    })

    test('by another process, which their owner hears of while they run', async () => {
      const { id } = await start(held().file)
      const other = await open()
      await seenBy(other, id, 'running')
      expect(await other.jobs.cancel(id)).toMatchObject({ state: 'running', cancelRequested: true })
      expect(await other.jobs.wait(id)).toMatchObject({ state: 'cancelled', cancelRequested: true })
      expect(await items()).toBe(0)
    })

    test('by another process, at the last moment before the commit', async () => {
      const { file, end } = held()
      const { id } = await start(file)
      const other = await open()
      await seenBy(other, id, 'running')
      await other.jobs.cancel(id)
      end()
      expect(await storage.jobs.wait(id)).toMatchObject({ state: 'cancelled' })
      expect(await items()).toBe(0)
    })
  })

  test('one whose owner is silent for too long has failed, and its owner, if it lives, writes nothing', async () => {
    const { file, end } = held()
    const { id } = await start(file)
    const other = await open()
    await seenBy(other, id, 'running')
    await change(id, { lease_until: '2020-01-01T00:00:00.000Z' })
    const lost = {
      state: 'failed',
      error: { code: 'storage_unavailable', message: expect.stringContaining('The server ended while it ran') },
    }
    expect(await other.jobs.list()).toMatchObject([lost])
    expect(await rejectionOf(other.jobs.cancel(id))).toMatchObject({ code: 'state_conflict' })
    end()
    await storage.jobs.wait(id)
    await vi.waitFor(async () => expect(await storage.jobs.get(id)).toMatchObject(lost))
    expect([await items(), await storage.audit.count({ component: 'items' })]).toEqual([0, 0])
  })

  test('one that runs while the database is restored writes nothing into what was restored', async () => {
    const { PassThrough } = await import('node:stream')
    const target = new PassThrough()
    const [backup] = await Promise.all([buffer(target), storage.backup(target)])
    const { file, end } = held()
    const { id } = await start(file)
    await seenBy(storage, id, 'running')
    await storage.restore(Readable.from([backup]))
    end()
    expect(await storage.jobs.wait(id)).toMatchObject({ state: 'failed', error: { code: 'state_conflict' } })
    await seenBy(await open(), id, 'failed')
    expect(await items()).toBe(0)
  })

  test('end when the storage is closed, which others see', async () => {
    const { id } = await start(held().file)
    const other = await open()
    await seenBy(other, id, 'running')
    await storage.close()
    expect(await other.jobs.get(id)).toMatchObject({ state: 'cancelled', error: { code: 'storage_closed' } })
    expect(await rejectionOf(storage.startImport({ items: csv('name') }))).toMatchObject({ code: 'storage_closed' })
    expect(await other.accessor(Item).count()).toBe(0)
  })

  test('are forgotten after seven days', async () => {
    const first = await start(csv('name', 'a'))
    await storage.jobs.wait(first.id)
    await change(first.id, { finished_at: new Date(Date.now() - 8 * 86_400_000).toISOString() })
    const second = await start(csv('name', 'b'))
    await storage.jobs.wait(second.id)
    await vi.waitFor(async () => expect((await storage.jobs.list()).map(({ id }) => id)).toEqual([second.id]))
  })

  test('are sixteen in a process at most', async () => {
    await Promise.all(Array.from({ length: 16 }, () => start(held().file)))
    const { file } = held()
    expect(await rejectionOf(start(file))).toMatchObject({ code: 'storage_busy', message: expect.stringContaining('16 jobs') })
    expect(file.destroyed).toBe(true)
  })

  describe('take files from a private folder', () => {
    test('that is there until the end', async () => {
      let folder = ''
      const { id } = await storage.startImport(async (place) => {
        folder = place
        await writeFile(join(place, 'items.csv'), 'name\na\n')
        return { items: join(place, 'items.csv') }
      })
      expect((await stat(folder)).mode & 0o777).toBe(0o700)
      expect(await storage.jobs.wait(id)).toMatchObject({ state: 'done' })
      await expect(stat(folder)).rejects.toThrow('ENOENT')
    })

    test('that is gone when they could not be received', async () => {
      let folder = ''
      const receiving = (error: Error) =>
        rejectionOf(
          storage.startImport(async (place) => {
            folder = place
            throw error
          }),
        )
      const reason = new Error('the client went away')
      expect(await receiving(reason)).toBe(reason)
      await expect(stat(folder)).rejects.toThrow('ENOENT')
      const full = await receiving(Object.assign(new Error('write'), { code: 'ENOSPC' }))
      expect(full).toMatchObject({ code: 'storage_full', status: 507, message: expect.not.stringContaining('/') })
      expect(await storage.jobs.list()).toEqual([])
    })
  })

  test('misuse is refused before anything begins', async () => {
    const misuse = (options: object) => rejectionOf(storage.startImport({ items: csv('name') }, options))
    expect(await misuse({ signal: AbortSignal.abort() })).toMatchObject({
      code: 'invalid_options',
      message: expect.stringContaining('storage.jobs'),
    })
    expect(await misuse({ colour: 'red' })).toMatchObject({ code: 'invalid_options' })
    expect(await misuse({ mode: 'replace' })).toMatchObject({ code: 'invalid_query' })
    expect(await misuse({ actor: '' })).toMatchObject({ code: 'validation_failed' })
    const inside = storage.transaction(() => storage.startImport({ items: csv('name') }))
    expect(await rejectionOf(inside)).toMatchObject({ code: 'outer_handle' })
    expect(await storage.jobs.list()).toEqual([])
  })
})
