import { defineModel, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { rejectionOf, storagesOn } from './support.ts'

const Note = defineModel('notes', { text: Type.String() })

describeEngines('work that is done once for a key', (engine) => {
  const open = storagesOn(engine)
  let notes: ModelAccessor<typeof Note>
  beforeEach(async () => {
    notes = new ModelAccessor(Note, 'notes')
    await open([notes])
  })

  const add = (text: string, key = 'k', scope: readonly string[] = []) =>
    notes.once({ key, scope, content: text }, async () => ({ id: (await notes.insert({ text })).id }))

  test('the second time gets the first answer and does nothing', async () => {
    const first = await add('a')
    const second = await add('a')
    expect(first).toEqual({ answer: { id: 1 }, replayed: false })
    expect(second).toEqual({ answer: { id: 1 }, replayed: true })
    expect(await notes.count()).toBe(1)
  })

  test('an answer is kept for 24 hours; an older one counts no more, and goes', async () => {
    const url = await engine.freshUrl()
    const first = await open([new ModelAccessor(Note, 'notes')], { url })
    const one = (key: string) => first.accessor(Note).once({ key, scope: [], content: 'a' }, async () => 1)
    await one('again')
    await one('gone')
    const age = sql`UPDATE strongroom_kept_answers SET kept_at = ${new Date(Date.now() - 86_400_000).toISOString()}`
    await first.transaction((session) => age.execute(session.kysely), { unaudited: true })
    await one('young')
    // Expired ones are removed now and then; a storage that was just opened does it with its first answer.
    const second = await open([new ModelAccessor(Note, 'notes')], { url })
    const again = await second.accessor(Note).once({ key: 'again', scope: [], content: 'b' }, async () => 2)
    expect(again).toEqual({ answer: 2, replayed: false })
    const young = await second.accessor(Note).once({ key: 'young', scope: [], content: 'a' }, async () => 2)
    expect(young).toEqual({ answer: 1, replayed: true })
    expect((await sql`SELECT request FROM strongroom_kept_answers`.execute(second.kysely)).rows).toHaveLength(2)
  })

  test('an older one goes also when the clock is set back by a year', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'], now: new Date('2031-01-01T12:00:00Z') })
    onTestFinished(() => void vi.useRealTimers())
    const storage = await open([new ModelAccessor(Note, 'notes')], { url: await engine.freshUrl() })
    const one = (key: string) => storage.accessor(Note).once({ key, scope: [], content: 'a' }, async () => 1)
    await one('this year')
    vi.setSystemTime(new Date('2030-01-01T12:00:00Z'))
    await one('gone')
    vi.advanceTimersByTime(25 * 3_600_000)
    await one('young')
    const { rows } = await sql`SELECT request FROM strongroom_kept_answers`.execute(storage.kysely)
    expect(rows).toHaveLength(2)
  })

  test('of expired answers none stays, however many there are and whoever got them', async () => {
    const url = await engine.freshUrl()
    const Room = defineModel('rooms', { house: Type.String() }, { tenant: 'house' })
    const first = await open([new ModelAccessor(Room, 'rooms')], { url })
    const one = (storage: typeof first, tenant: string, key: string) =>
      storage.actingAs({ principal: { id: 1, tenant } }, () => storage.accessor(Room).once({ key, scope: [], content: 'a' }, async () => 1))
    await one(first, 'never back', 'k')
    const age = sql`UPDATE strongroom_kept_answers SET kept_at = ${new Date(Date.now() - 86_400_000).toISOString()}`
    const copy = sql`INSERT INTO strongroom_kept_answers (request, fingerprint, answer, kept_at, tenant, row_version)
      SELECT request || number, fingerprint, answer, kept_at, tenant, row_version FROM strongroom_kept_answers,
      (WITH RECURSIVE numbers AS (SELECT 1 AS number UNION ALL SELECT number + 1 FROM numbers WHERE number < 450) SELECT number FROM numbers) AS others`
    const prepare = async (session: { kysely: typeof first.kysely }) => {
      await age.execute(session.kysely)
      await copy.execute(session.kysely)
    }
    await first.transaction(prepare, { unaudited: true })
    const second = await open([new ModelAccessor(Room, 'rooms')], { url })
    for (const key of ['a', 'b', 'c']) await one(second, 'here', key)
    const left = await second.transaction(({ kysely }) => sql`SELECT tenant FROM strongroom_kept_answers`.execute(kysely))
    expect(left.rows).toEqual([{ tenant: 'here' }, { tenant: 'here' }, { tenant: 'here' }])
  })

  test('another key, or the same in another scope, is another request', async () => {
    await Promise.all([add('a'), add('a', 'other'), add('a', 'k', ['somebody else'])])
    expect(await notes.count()).toBe(3)
  })

  test('the same key with another content is refused', async () => {
    await add('a')
    expect(await rejectionOf(add('b'))).toMatchObject({ code: 'idempotency_mismatch', status: 422 })
    expect(await notes.count()).toBe(1)
  })

  test('a throw keeps nothing: the next try does the work', async () => {
    const failing = notes.once({ key: 'k', scope: [], content: 'a' }, async () => {
      await notes.insert({ text: 'a' })
      throw new Error('the answer was never made')
    })
    await rejectionOf(failing)
    expect(await notes.count()).toBe(0)
    expect(await add('a')).toMatchObject({ replayed: false })
  })

  test('of 16 at once one does the work, and all get its answer', async () => {
    const results = await Promise.all(Array.from({ length: 16 }, () => add('a')))
    expect(results.filter((result) => !result.replayed)).toHaveLength(1)
    expect(new Set(results.map((result) => result.answer.id))).toEqual(new Set([1]))
    expect(await notes.count()).toBe(1)
  })

  test('work in another order of the same keys at once loses nothing', async () => {
    const keys = Array.from({ length: 8 }, (_, index) => `key ${index}`)
    await Promise.all([...keys, ...keys.toReversed()].map((key) => add(key, key)))
    expect(await notes.count()).toBe(8)
  })
})
