import { defineModel, GoneError, ModelAccessor, type Storage, type StorageOptions } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { changesSoFar, rejectionOf, storagesOn } from './support.ts'

const Note = defineModel('notes', { text: Type.String() })
const Event = defineModel('events', { text: Type.String() })

describeEngines('retention', (engine) => {
  const open = storagesOn(engine)
  const start = async (retention: StorageOptions['retention']) => {
    const notes = new ModelAccessor(Note, 'notes')
    const events = new ModelAccessor(Event, 'events')
    const storage = await open([notes, events], retention ? { retention } : {})
    const write = async (accessor: typeof notes | typeof events, count: number) => {
      for (let left = count; left > 0; left--) {
        await accessor.insert({ text: String(left) })
        if (left % 7 === 0) await storage.audit.waitUntilSealed()
      }
      await storage.audit.waitUntilSealed()
    }
    return { notes, events, storage, write }
  }
  const positions = async (storage: Storage): Promise<number[]> =>
    (await storage.audit.find()).map(({ position }) => Number(position)).toReversed()

  test('keeps the whole log while its first entry is one to keep', async () => {
    const { notes, events, storage, write } = await start({ keep: { notes: { entries: 4 }, '*': { entries: 100 } } })
    await write(events, 3)
    await write(notes, 300)
    // The events are to be kept, and stand at the beginning.
    expect(await storage.retain()).toEqual({ removed: 0 })
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
    expect(await storage.retain()).toEqual({ removed: 0 })
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

  test('keeps what is younger than its age', async () => {
    const { notes, storage, write } = await start({ keep: { notes: { for: '1h' } } })
    await write(notes, 20)
    expect(await storage.retain()).toEqual({ removed: 0 })
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
})
