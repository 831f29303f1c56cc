import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChangeEvent, defineModel, ModelAccessor, openStorage } from '@strongroom/core'
import { describeEngines, needs } from '@strongroom/testkit'
import fc from 'fast-check'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Arrivals } from '../src/changes/arrivals.ts'
import { changesSoFar, rejectionOf, storagesOn } from './support.ts'

const Note = defineModel('notes', { text: Type.String(), owner: Type.Optional(Type.String()) })
/** What a follower was told, in short. */
const told = (event: ChangeEvent): unknown =>
  event.type === 'reset' ? 'reset' : [event.entry.operation, event.entry.record_id, event.entry.after?.['text'] ?? null]

/** Takes so many events, and goes away. */
async function take(events: AsyncGenerator<ChangeEvent, void, undefined>, count: number): Promise<ChangeEvent[]> {
  const taken: ChangeEvent[] = []
  for await (const event of events) {
    taken.push(event)
    if (taken.length === count) break
  }
  return taken
}

describeEngines('the feed of changes', (engine) => {
  const open = storagesOn(engine)
  const start = async () => {
    const notes = new ModelAccessor(Note, 'notes')
    const url = await engine.freshUrl()
    const storage = await open([notes], { url })
    return { notes, storage, url }
  }

  test('tells every change once, in the order of positions, and goes on after any of them', async () => {
    const { notes, storage } = await start()
    await storage.transaction(async () => {
      await notes.insert({ text: 'one' })
      await notes.insert({ text: 'two' })
    })
    await notes.update(1, { text: 'three' })
    await notes.delete(2)
    await rejectionOf(storage.transaction(() => notes.insert({ text: 'never' }).then(() => Promise.reject(new Error('no')))))
    const events = await take(storage.changes({ after: 'start' }), 4)
    expect(events.map(told)).toEqual([
      ['create', 1, 'one'],
      ['create', 2, 'two'],
      ['update', 1, 'three'],
      ['delete', 2, null],
    ])
    expect(events.map(({ id }) => id)).toEqual(['1:1', '1:2', '1:3', '1:4'])
    expect(events[0]).toEqual({ type: 'change', id: '1:1', entry: await storage.audit.get(1) })
    for (const [index, { id }] of events.slice(0, 3).entries()) {
      expect(await take(storage.changes({ after: id }), 3 - index)).toEqual(events.slice(index + 1))
    }
    expect((await storage.feed.page({ after: '1:4' })).changes).toEqual([])
  })

  test('begins now where nobody says, and waits for what comes, from other processes too', async () => {
    const { notes, storage, url } = await start()
    await notes.insert({ text: 'before' })
    await storage.audit.waitUntilSealed()
    const page = await storage.feed.page()
    expect(page).toEqual({ reset: null, changes: [], next: '1:1', isLast: true })
    const next = take(storage.changes({ after: page.next }), 2)
    await notes.insert({ text: 'own' })
    const others = new ModelAccessor(Note, 'notes')
    await open([others], { url })
    await others.insert({ text: 'other' })
    expect((await next).map(told)).toEqual([
      ['create', 2, 'own'],
      ['create', 3, 'other'],
    ])
  })

  test('does not wait longer than it is asked to, and hears at once of what is there', async () => {
    const { notes, storage } = await start()
    expect(await storage.feed.wait('1:0', { timeout: 1 })).toBe(false)
    expect(await storage.feed.wait('1:0', { signal: AbortSignal.abort() })).toBe(false)
    const months = storage.feed.wait('1:0', { timeout: 60 * 86_400_000 })
    for (let look = 0; look < 20; look++) await storage.audit.count()
    await notes.insert({ text: 'one' })
    await storage.audit.waitUntilSealed()
    expect(await storage.feed.wait('1:0')).toBe(true)
    expect(await months).toBe(true)
  })

  test('ends when it is asked to, and with the storage', async () => {
    const { storage, url } = await start()
    const ending = new AbortController()
    const ended = take(storage.changes({ signal: ending.signal }), 1)
    ending.abort()
    expect(await ended).toEqual([])
    const other = await openStorage({ url, accessors: [new ModelAccessor(Note, 'notes')] })
    const place = (await other.feed.page()).next
    const [follower, waiter] = [take(other.changes(), 1), other.feed.wait(place)].map(rejectionOf)
    await other.close()
    expect(await waiter).toMatchObject({ code: 'storage_closed' })
    expect(await follower).toMatchObject({ code: 'storage_closed' })
    expect(await rejectionOf(other.feed.page())).toMatchObject({ code: 'storage_closed' })
  })

  test('refuses what cannot be', async () => {
    const { storage } = await start()
    for (const after of ['', '1', '1:', ':1', '-1:1', '1:01', '1:1 ', 'now', '9999999999999999:1', '1:1;DROP']) {
      expect(await rejectionOf(storage.feed.page({ after }))).toMatchObject({ code: 'invalid_query' })
    }
    for (const limit of [0, -1, 1.5, Number.NaN]) {
      expect(await rejectionOf(storage.feed.page({ limit }))).toMatchObject({ code: 'invalid_query' })
    }
    expect(await rejectionOf(storage.feed.page({ component: 'nothing' }))).toMatchObject({ code: 'invalid_options' })
    const inside = storage.transaction(async () => take(storage.changes(), 1))
    expect(await rejectionOf(inside)).toMatchObject({ code: 'outer_handle' })
  })

  test('says once that the database was restored, and goes on', async () => {
    const { notes, storage } = await start()
    const backup = join(await mkdtemp(join(tmpdir(), 'strongroom-changes-')), 'backup.sqlite')
    await notes.insert({ text: 'kept' })
    await storage.backup(backup)
    await notes.insert({ text: 'lost' })
    await storage.audit.waitUntilSealed()
    const behind = take(storage.changes({ after: '1:1' }), 3)
    const [seen] = await take(storage.changes({ after: '1:1' }), 1)
    const upToDate = take(storage.changes({ after: seen?.id }), 3)
    await storage.restore(backup, { actor: 'operator' })
    await notes.insert({ text: 'new' })
    const expected = ['reset', ['restore_database', null, null], ['create', 3, 'new']]
    expect((await upToDate).map(told)).toEqual(expected)
    expect((await behind).map(told)).toEqual([['create', 2, 'lost'], ...expected.slice(0, 2)])
    const [reset, ...others] = await take(storage.changes({ after: '1:1' }), 3)
    expect([reset, ...others].map((event) => event && told(event))).toEqual(expected)
    // Whoever has heard of it does not hear of it again.
    expect((await take(storage.changes({ after: reset?.id }), 2)).map(told)).toEqual(expected.slice(1))
    expect((await changesSoFar(storage)).map(told)).toEqual([['create', 1, 'kept'], ...expected.slice(1)])
    // A place that this log never had is one of another file.
    const page = await storage.feed.page({ after: '2:5000' })
    expect(page.reset).toBe(page.next)
    expect(await storage.feed.page({ after: page.next })).toMatchObject({ reset: null, changes: [] })
  })

  test('looks at a stretch of the log at a time, and moves on where nothing is for the caller', async () => {
    const { notes, storage } = await start()
    await notes.insertMany(Array.from({ length: 1_500 }, (_, index) => ({ text: String(index) })))
    await storage.audit.waitUntilSealed()
    const page = await storage.feed.page({ after: 'start', tenant: 'nobody' })
    expect(page).toEqual({ reset: null, changes: [], next: '1:1000', isLast: false })
    expect(await storage.feed.page({ after: page.next, tenant: 'nobody' })).toMatchObject({ changes: [], next: '1:1500', isLast: true })
  })

  test('nothing is lost or told twice, whoever writes and however often a reader begins again', async () => {
    const { notes, storage } = await start()
    let written = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(6)),
        async (units, bites) => {
          const place = (await changesSoFar(storage)).at(-1)?.id ?? 'start'
          const expected = units.reduce((sum, count) => sum + count)
          const reading = (async () => {
            const seen: ChangeEvent[] = []
            for (let round = 0; seen.length < expected; round++) {
              const count = Math.min(1 + (bites[round] ?? 2), expected - seen.length)
              seen.push(...(await take(storage.changes({ after: seen.at(-1)?.id ?? place }), count)))
            }
            return seen
          })()
          await Promise.all(units.map((count) => notes.insertMany(Array.from({ length: count }, () => ({ text: 'x' })))))
          const seen = await reading
          const entries = await storage.audit.find({ limit: expected })
          const byPosition = entries.toSorted((one, other) => Number(one.position) - Number(other.position))
          expect(seen.map((event) => event.type === 'change' && event.entry)).toEqual(byPosition)
          written += expected
          expect(new Set(seen.map(({ id }) => id)).size).toBe(expected)
        },
      ),
      { numRuns: 15 },
    )
    expect(await changesSoFar(storage)).toHaveLength(written)
  })

  needs(engine, 'sessions', () => {
    test('hears of changes by a signal, and goes on when the session that listens is ended', async () => {
      const { notes, storage, url } = await start()
      const listeners = sql<{ pid: number }>`
        SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN "strongroom_sealed"%'`
      const events = storage.changes()
      onTestFinished(async () => void (await events.return()))
      const first = events.next()
      const own = new Set((await listeners.execute(storage.kysely)).rows.map(({ pid }) => pid))
      await vi.waitFor(async () => {
        for (const { pid } of (await listeners.execute(storage.kysely)).rows) own.add(pid)
        expect(own.size).toBeGreaterThan(0)
      })
      await notes.insert({ text: 'heard' })
      expect(told((await first).value as ChangeEvent)).toEqual(['create', 1, 'heard'])
      const second = events.next()
      const ender = await openStorage({ url, accessors: [new ModelAccessor(Note, 'notes')] })
      onTestFinished(() => ender.close())
      for (const pid of own) await sql`SELECT pg_terminate_backend(${pid})`.execute(ender.kysely)
      await notes.insert({ text: 'after' })
      expect(told((await second).value as ChangeEvent)).toEqual(['create', 2, 'after'])
    })
  })
})

test('whoever waits is served by one look, and nobody looks where nobody waits', async () => {
  let looks = 0
  let position = 0
  const listeners = new Set<() => void>()
  const order = {
    head: () => Promise.resolve({ epoch: 1, position, effectiveAt: null, hash: new Uint8Array(), looked: looks++ }),
    onSealed: (listener: () => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  // The slice of the order that waiting stands on.
  const arrivals = new Arrivals(order as never, undefined)
  const waiting = Promise.all(Array.from({ length: 50 }, () => arrivals.wait({ epoch: 1, position: 0 }, {})))
  position = 1
  for (const listener of listeners) listener()
  expect(await waiting).toEqual(Array.from({ length: 50 }, () => true))
  expect(looks).toBe(1)
  for (const listener of listeners) listener()
  expect(looks).toBe(1)
  await arrivals.close()
  expect(listeners.size).toBe(0)
})
