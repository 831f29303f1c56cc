import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineModel, ModelAccessor, openStorage, type Storage } from '@strongroom/core'
import { describeEngines, needs, runScript, tempFolder } from '@strongroom/testkit'
import { Type } from 'typebox'
import { expect, onTestFinished, test } from 'vitest'
import { storagesOn } from '../support.ts'
import { tamper, untilGone } from './raw-database.ts'

const Note = defineModel('notes', { text: Type.String() })
const program = fileURLToPath(new URL('./killed-writer-program.ts', import.meta.url))

/** What a log is like from before there was a chain. */
const unchained = [
  'DROP INDEX IF EXISTS strongroom_audit_log__seq__key; DROP INDEX strongroom_audit_log__component__seq__idx',
  'UPDATE strongroom_audit_log SET seq = NULL, prev_hash = NULL, hash = NULL',
  ...['effective_at', 'leaf'].map((column) => `ALTER TABLE strongroom_audit_log DROP COLUMN ${column}`),
  'UPDATE strongroom_audit_head SET seq = 0, hash = NULL',
  ...['origin', 'effective_at', 'transaction_id', 'last_entry', 'sealed_at', 'retained_hash', 'retained_roots'].map(
    (column) => `ALTER TABLE strongroom_audit_head DROP COLUMN ${column}`,
  ),
  "UPDATE strongroom_state SET value = '5' WHERE key = 'version'",
]

describeEngines('a log that several write', (engine) => {
  const open = storagesOn(engine)

  const start = async (url: string): Promise<{ storage: Storage; notes: ModelAccessor<typeof Note> }> => {
    const notes = new ModelAccessor(Note, 'notes')
    return { storage: await open([notes], { url }), notes }
  }

  const expectWhole = async (storage: Storage): Promise<number> => {
    await storage.audit.waitUntilSealed()
    const { fault, unsealed, entries } = await storage.audit.verify()
    expect([fault, unsealed]).toEqual([null, 0])
    expect(await storage.audit.count()).toBe(entries)
    return entries
  }

  test('has every acknowledged entry sealed, and no fork, after one of them was killed while another went on', async () => {
    const url = await engine.freshUrl()
    const { storage, notes } = await start(url)
    const script = runScript(program, { args: [url], env: { PGAPPNAME: 'killed writer' } })
    onTestFinished(() => void script.kill())
    await script.line(/^acknowledged 60$/)
    for (let at = 0; at < 20; at++) await notes.insert({ text: 'ours' })
    await script.kill()
    await untilGone(url, 'killed writer')
    const acknowledged = script.output().match(/^acknowledged \d+$/gm)?.length ?? 0
    expect(acknowledged).toBeGreaterThanOrEqual(60)
    expect(await expectWhole(storage)).toBeGreaterThanOrEqual(acknowledged + 20)
    expect(await notes.count()).toBe(await storage.audit.count())
  })

  test('goes on for the others when one restores: none of their entries is lost or in the old epoch', async () => {
    const url = await engine.freshUrl()
    const folder = await tempFolder('sealing')
    onTestFinished(folder.remove)
    const [one, other] = [await start(url), await start(url)]
    await one.notes.insert({ text: 'kept' })
    const file = join(folder.path, 'backup.sqlite')
    await one.storage.backup(file)
    for (const { notes } of [one, other]) await notes.insert({ text: 'gone' })
    let restored = false
    const writing = (async () => {
      for (let at = 0; !restored || at < 5; at++) await other.notes.insert({ text: `during ${at}` })
    })()
    const { epoch } = await one.storage.restore(file)
    restored = true
    await writing
    await other.notes.insert({ text: 'after' })
    await one.notes.insert({ text: 'after, too' })
    await expectWhole(one.storage)
    expect(epoch).toBe(2)
    const [restore] = await one.storage.audit.find({ operation: 'restore_database' })
    const since = (await other.storage.audit.find()).filter(({ id }) => id > (restore?.id ?? 0))
    expect(since.length).toBeGreaterThanOrEqual(2)
    expect(new Set(since.map((entry) => entry.epoch))).toEqual(new Set([2]))
    expect((await one.notes.all()).map(({ text }) => text)).toContain('kept')
  })

  test('is brought up where it stood there before there was a chain, while several open it', async () => {
    const url = await engine.freshUrl()
    const first = await start(url)
    await first.notes.insertMany([{ text: 'a' }, { text: 'b' }])
    await first.notes.update(1, { text: 'c' })
    await first.storage.audit.waitUntilSealed()
    await first.storage.close()
    await tamper(url, ...unchained)
    const accessors = Array.from({ length: 3 }, () => new ModelAccessor(Note, 'notes'))
    const storages = await Promise.all(accessors.map((accessor) => openStorage({ url, accessors: [accessor] })))
    onTestFinished(async () => {
      for (const storage of storages) await storage.close()
    })
    await Promise.all(accessors.map((accessor, index) => accessor.insert({ text: `new ${index}` })))
    const [storage] = storages
    if (!storage) throw new Error('there are three')
    expect(await expectWhole(storage as unknown as Storage)).toBe(6)
    expect((await storage.audit.find({ component: 'notes', record_id: 1 })).map(({ position }) => position)).toEqual([3, 1])
  })

  test('follows whoever wrote last: they write in turn, one by one and many at once, and some of it is undone', async () => {
    const url = await engine.freshUrl()
    const [one, other] = [await start(url), await start(url)]
    const undone = (who: typeof one): Promise<unknown> =>
      who.storage.transaction(async () => {
        await who.notes.insert({ text: 'undone' })
        throw new Error('undone')
      })
    for (let turn = 0; turn < 4; turn++) {
      for (const who of [one, other, one]) {
        await who.notes.insert({ text: 'alone' })
        await expect(undone(who)).rejects.toThrow('undone')
        await who.notes.insert({ text: 'alone' })
        await Promise.all(Array.from({ length: 3 }, () => who.notes.insert({ text: 'together' })))
        await who.notes.insertMany([{ text: 'one of two' }, { text: 'the other' }])
      }
      await other.storage.transaction(async (session) => {
        await other.notes.insert({ text: 'before' })
        await session.kysely.selectFrom('notes').select('id').execute()
        await other.notes.insert({ text: 'behind' })
      })
    }
    expect(await expectWhole(one.storage)).toBe(4 * (3 * 7 + 2))
  })

  needs(engine, 'sharedCommits', () => {
    test('counts on from where its ids were counted to, further or less far', async () => {
      const url = await engine.freshUrl()
      const { storage, notes } = await start(url)
      await notes.insert({ text: 'a' })
      const last = async (): Promise<number | undefined> => (await storage.audit.findOne())?.id
      const before = (await last()) ?? 0
      for (const [counted, next] of [
        [before + 10, before + 11],
        [0, before + 12],
      ]) {
        await tamper(url, `UPDATE sqlite_sequence SET seq = ${counted} WHERE name = 'strongroom_audit_log'`)
        await notes.insert({ text: 'b' })
        expect(await last()).toBe(next)
      }
      await expectWhole(storage)
    })
  })
})
