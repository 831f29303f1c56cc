import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import {
  type Checkpoint,
  defineModel,
  GoneError,
  ModelAccessor,
  type RetentionReport,
  type Storage,
  type StorageOptions,
} from '@strongroom/core'
import { describeEngines, tempFolder } from '@strongroom/testkit'
import { Type } from 'typebox'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { merkleRoot } from '../src/audit/digest.ts'
import { rawDatabase, tamper } from './audit/raw-database.ts'
import { changesSoFar, everyOf, rejectionOf, storagesOn } from './support.ts'

const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string

const Note = defineModel('notes', { text: Type.String() })
const Event = defineModel('events', { text: Type.String() })

describeEngines('retention', (engine) => {
  const open = storagesOn(engine)
  const start = async (retention: StorageOptions['retention'], options: Partial<StorageOptions> = {}) => {
    const notes = new ModelAccessor(Note, 'notes')
    const events = new ModelAccessor(Event, 'events')
    const url = await engine.freshUrl()
    const storage = await open([notes, events], { url, auditCheckpoints: { key }, ...(retention && { retention }), ...options })
    const write = async (accessor: typeof notes | typeof events, count: number) => {
      for (let left = count; left > 0; left -= 7) {
        await Promise.all(Array.from({ length: Math.min(7, left) }, () => accessor.insert({ text: String(left) })))
        await storage.audit.waitUntilSealed()
      }
    }
    return { notes, events, storage, write, url }
  }
  const positions = async (storage: Storage): Promise<number[]> =>
    (await storage.audit.find()).map(({ position }) => Number(position)).toReversed()

  test('and checkpoints may be further apart than a timer of Node can be set', async () => {
    const folder = await tempFolder('checkpoints')
    onTestFinished(folder.remove)
    const warnings: string[] = []
    const hear = ({ name }: Error): number => warnings.push(name)
    process.on('warning', hear)
    onTestFinished(() => void process.off('warning', hear))
    const auditCheckpoints = { key, file: join(folder.path, 'checkpoints.jsonl'), every: '60d' }
    const { storage, notes } = await start({ keep: { '*': { entries: 1 } }, every: '60d' }, { auditCheckpoints })
    await notes.insert({ text: 'x' })
    await storage.close()
    expect(warnings).toEqual([])
  })

  test('that is under way while the storage is closed is no error', async () => {
    const errors: unknown[] = []
    const logger = { info: () => {}, warn: () => {}, error: (...told: unknown[]) => void errors.push(told) }
    for (let round = 0; round < 10; round++) {
      const { notes, storage } = await start({ keep: { '*': { entries: 1 } }, every: 1 }, { logger })
      await notes.insertMany([{ text: 'a' }, { text: 'b' }])
      await storage.close()
    }
    expect(errors).toEqual([])
  })

  test('keeps the whole log while its first entry is one to keep', async () => {
    const { notes, events, storage, write } = await start({ keep: { notes: { entries: 4 }, '*': { entries: 100 } } })
    await write(events, 3)
    await write(notes, 300)
    // The events are to be kept, and stand at the beginning.
    expect(await storage.retain()).toMatchObject({ removed: 0 })
    const [first] = await events.history(1)
    expect(first?.position).toBe(1)
  })

  test('removes the beginning that nobody wants to keep, whole links at a time', async () => {
    const { notes, storage, write } = await start({ keep: { '*': { entries: 10 } } })
    await write(notes, 300)
    const before = await storage.audit.verify()
    const { removed } = await storage.retain()
    // Of a link that is to be kept in part all is kept.
    expect(removed).toBeGreaterThan(270)
    expect(removed).toBeLessThanOrEqual(290)
    expect(await positions(storage)).toEqual(Array.from({ length: 300 - removed }, (_none, index) => removed + index + 1))
    const after = await storage.audit.verify()
    expect(after).toMatchObject({ ok: true, fault: null, position: before.position, entries: 300 - removed, retained_below: removed + 1 })
    expect(await storage.retain()).toMatchObject({ removed: 0 })
    // It goes on as before.
    await write(notes, 300)
    const again = await storage.retain()
    expect(again.removed).toBeGreaterThan(270)
    expect(await storage.audit.verify()).toMatchObject({ ok: true, position: 600 })
    // What was removed is gone for whoever asks for it, and the feed says so.
    expect(await rejectionOf(storage.feed.page({ after: '1:1' }))).toBeInstanceOf(GoneError)
    expect((await changesSoFar(storage)).length).toBe(600 - removed - again.removed)
    expect(await rejectionOf(notes.asOf(new Date(0)).find())).toBeInstanceOf(GoneError)
  })

  test('removes what is older than its age, up to the first entry that is to be kept for longer', async () => {
    const { notes, events, storage, write } = await start({ keep: { notes: { for: 1 }, events: { for: '1h' } } })
    await write(notes, 14)
    await write(events, 2)
    await write(notes, 7)
    // Waiting for the seals takes longer than the age.
    await storage.audit.waitUntilSealed()
    const { removed } = await storage.retain()
    expect(removed).toBe(14)
    expect(await positions(storage)).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23])
    expect((await storage.audit.find({ component: 'events' })).map(({ position }) => position)).toEqual([16, 15])
    expect(await notes.history(1)).toEqual([])
    expect(await storage.audit.verify()).toMatchObject({ ok: true, retained_below: 15 })
    expect((await events.all()).length + (await notes.all()).length).toBe(23)
  })

  test('what has lost its beginning is not undone by half', async () => {
    const { notes, storage } = await start({ keep: { '*': { entries: 10 } } })
    const since = new Date()
    // More than are sealed together.
    await notes.insertMany(
      Array.from({ length: 1_100 }, (_none, index) => ({ text: String(index) })),
      { actor: 'ann', requestId: 'half' },
    )
    await storage.audit.waitUntilSealed()
    expect((await storage.retain()).removed).toBeGreaterThan(0)
    const left = await storage.audit.find({ request_id: 'half', limit: 1_000 })
    expect(left.length).toBeGreaterThan(0)
    const batch = left[0]?.transaction_id
    const first = new Date(left.at(-1)?.timestamp ?? 0)
    for (const selection of [{ requestId: 'half' }, { batch }, { actor: 'ann', since }, { requestId: 'half', since }])
      for (const options of [{}, { dryRun: true }, { conflicts: 'skip' as const }])
        expect(await rejectionOf(storage.revert(selection, options)), JSON.stringify(selection)).toBeInstanceOf(GoneError)
    expect(await notes.count()).toBe(1_100)
    await notes.update(1, { text: 'changed' }, { actor: 'bob', requestId: 'whole' })
    await storage.audit.waitUntilSealed()
    expect(await storage.revert({ actor: 'bob', since: first }, { dryRun: true })).toMatchObject({ conflictCount: 0 })
    expect(await storage.revert({ requestId: 'whole' })).toMatchObject({ applied: true })
    expect((await notes.get(1))?.text).toBe('0')
  })

  test('removes all but the last entry where all are old', async () => {
    const { notes, storage, write } = await start({ keep: { '*': { for: 1 } } })
    await write(notes, 14)
    const last = (await storage.audit.find({ limit: 1 }))[0]?.hash
    const { removed } = await storage.retain()
    const kept = await storage.audit.find()
    // Those that were sealed with the last one stay beside it.
    expect(kept.length).toBe(14 - removed)
    expect(new Set(kept.map(({ hash }) => hash))).toEqual(new Set([last]))
    expect(await storage.audit.verify()).toMatchObject({ ok: true, position: 14, retained_below: removed + 1 })
  })

  test('cuts between links alone, and keeps the hash of the last one that went and the roots of the blocks', async () => {
    const { notes, storage, write, url } = await start({ keep: { '*': { entries: 10 } } })
    await write(notes, 546)
    const before = await everyOf(storage.audit.stream())
    const hashAt = (position: number) => before.find((entry) => entry.position === position)?.hash
    const { removed } = await storage.retain()
    expect(removed).toBeGreaterThan(512)
    expect(hashAt(removed)).not.toBe(hashAt(removed + 1))
    const raw = await rawDatabase(url)
    const [head] = await raw.all('SELECT retained_hash, retained_roots FROM strongroom_audit_head')
    await raw.close()
    const digest = (value: unknown) => Buffer.from(value as Uint8Array).toString('hex')
    expect(digest(head?.['retained_hash'])).toBe(hashAt(removed))
    // Two whole blocks went: one subtree of two leaves is left of them.
    const blocks = [256, 512].map((position) => Buffer.from(hashAt(position) ?? '', 'hex'))
    expect(digest(head?.['retained_roots'])).toBe(digest(merkleRoot(blocks)))
  })

  test('leaves checkpoints of before that hold, and those that hold no more say so', async () => {
    const { notes, storage, write, url } = await start({ keep: { '*': { entries: 5 } } })
    const checkpoints: Checkpoint[] = []
    for (const count of [3, 277, 20]) {
      await write(notes, count)
      checkpoints.push(await storage.audit.checkpoint())
    }
    const findings = async (given = checkpoints) => {
      const { ok, fault, checkpoints: held } = await storage.audit.verify({ checkpoints: given })
      return { ok, fault: fault?.kind ?? null, held: held.map(({ size, finding }) => `${size} ${finding}`) }
    }
    expect(await findings()).toEqual({ ok: true, fault: null, held: ['3 holds', '280 holds', '300 holds'] })
    const { removed } = await storage.retain()
    expect(removed).toBeGreaterThan(280)
    expect(await findings()).toEqual({ ok: true, fault: null, held: ['3 not_retained', '280 not_retained', '300 holds'] })
    await write(notes, 7)
    expect((await findings()).held).toEqual(['3 not_retained', '280 not_retained', '300 holds'])
    // Whoever writes what is left anew needs other roots of what went: the checkpoint knows them.
    const isFile = url.startsWith('sqlite:')
    await tamper(url, `UPDATE strongroom_audit_head SET retained_roots = ${isFile ? "x'" : "'\\x"}${'ab'.repeat(32)}'`)
    expect(await findings()).toMatchObject({ ok: false, fault: 'rewritten', held: ['3 not_retained', '280 not_retained', '300 differs'] })
    expect(await storage.audit.verify()).toMatchObject({ ok: true })
  })

  test('is done by one at a time, whoever asks', async () => {
    const { notes, storage, write, url } = await start({ keep: { '*': { entries: 5 } } })
    await write(notes, 140)
    const others = await Promise.all(
      [1, 2].map(() => open([new ModelAccessor(Note, 'notes')], { url, retention: { keep: { '*': { entries: 5 } } } })),
    )
    const reports = await Promise.all([storage, ...others].flatMap((each) => [each.retain(), each.retain()]))
    const counts = [reports[0], reports[2], reports[4]].map((report) => report?.removed ?? 0)
    expect(counts.reduce((sum, count) => sum + count)).toBe(140 - (await storage.audit.count()))
    expect(await storage.audit.verify()).toMatchObject({ ok: true, position: 140 })
  })

  test('keeps what is younger than its age', async () => {
    const { notes, storage, write } = await start({ keep: { notes: { for: '1h' } } })
    await write(notes, 20)
    expect(await storage.retain()).toMatchObject({ removed: 0 })
    expect(await positions(storage)).toHaveLength(20)
  })

  test('removes nothing from a log that does not verify', async () => {
    const { notes, storage, write } = await start({ keep: { '*': { entries: 1 } } })
    await write(notes, 20)
    const head = { retained_below: 3 }
    await storage.transaction(async ({ kysely }) => kysely.updateTable('strongroom_audit_head').set(head).execute(), { unaudited: true })
    expect(await rejectionOf(storage.retain())).toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('does not verify'),
    })
    expect((await positions(storage)).length).toBeGreaterThanOrEqual(20)
  })

  test('refuses options that cannot be, and to be asked where there are none', async () => {
    const { storage } = await start(undefined)
    expect(await rejectionOf(storage.retain())).toMatchObject({ code: 'invalid_options' })
    const wrong = [
      {},
      { keep: {} },
      { keep: { notes: {} } },
      { keep: { notes: { for: 'long' } } },
      { keep: { notes: { entries: 0 } } },
      { keep: { notes: { days: 1 } } },
      { keep: { notes: { entries: 1 } }, often: 1 },
    ]
    for (const retention of wrong) {
      expect(await rejectionOf(start(retention as never)), JSON.stringify(retention)).toMatchObject({ code: 'invalid_options' })
    }
  })

  describe('is a job', () => {
    const jobsOf = async (storage: Storage) => {
      const jobs = await storage.jobs.list()
      return Promise.all(jobs.map(({ id }) => storage.jobs.wait(id)))
    }

    test('that says what went, and from where each component is kept', async () => {
      const { notes, events, storage, write } = await start({ keep: { notes: { entries: 10 }, events: { for: 1 } } })
      await write(events, 5)
      await write(notes, 2_500)
      const report = await storage.retain({ actor: 'olga', requestId: 'r-1' })
      const { removed } = report
      const kept = { horizon: 2_496, components: { notes: 2_496, events: null } }
      expect(report).toEqual({ removed, ...kept })
      const told = { kind: 'retention', state: 'done', actor: 'olga', requestId: 'r-1', progress: { phase: 'removing', entries: removed } }
      expect(await jobsOf(storage)).toMatchObject([{ ...told, result: { removed, ...kept }, error: null }])
    })

    test('also where there is nothing to remove, when somebody asks', async () => {
      const { notes, storage, write } = await start({ keep: { '*': { entries: 10 } } })
      await write(notes, 3)
      expect(await storage.retain()).toEqual({ removed: 0, horizon: 1, components: { notes: 1 } })
      expect(await jobsOf(storage)).toMatchObject([{ actor: 'internal', state: 'done', result: { removed: 0 } }])
    })

    test('of the clock when it removes something, and no other', async () => {
      const { notes, storage, write } = await start({ keep: { '*': { entries: 10 } }, every: 1 })
      await write(notes, 3)
      // Looks go on meanwhile, and find nothing.
      expect(await jobsOf(storage)).toEqual([])
      await write(notes, 60)
      await vi.waitFor(async () => expect((await positions(storage))[0]).toBeGreaterThan(10))
      const jobs = await jobsOf(storage)
      expect(jobs.length).toBeGreaterThan(0)
      for (const { actor, state, result } of jobs) {
        expect({ actor, state }).toEqual({ actor: 'internal', state: 'done' })
        expect((result as RetentionReport).removed).toBeGreaterThan(0)
      }
    })

    test('that failed, once, where the log does not verify', async () => {
      const { notes, storage, write, url } = await start(
        { keep: { '*': { entries: 10 } }, every: 1 },
        { logger: { error: () => {}, warn: () => {}, info: () => {} } },
      )
      await write(notes, 3)
      await tamper(url, "UPDATE strongroom_audit_log SET actor = 'nobody' WHERE id = 1")
      await write(notes, 60)
      const failed = { kind: 'retention', state: 'failed', result: null, error: { code: 'storage_unavailable' } }
      await vi.waitFor(async () => expect(await storage.jobs.list()).toMatchObject([failed]))
      expect(await rejectionOf(storage.retain())).toMatchObject({ code: 'storage_unavailable' })
      expect(await jobsOf(storage)).toMatchObject([failed, failed])
    })
  })
})
