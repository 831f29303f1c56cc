import { setImmediate as nextTurn } from 'node:timers/promises'
import { openStorage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { sql } from 'kysely'
import { expect, onTestFinished, test, vi } from 'vitest'
import { storagesOn } from './support.ts'

describeEngines('shared counters', (engine) => {
  const open = storagesOn(engine)

  test('add up over all that count at once, in several processes’ places, and lose nothing', async () => {
    const url = await engine.freshUrl()
    const storages = [await openStorage({ url, accessors: [] }), await openStorage({ url, accessors: [] })]
    const counts = Array.from({ length: 40 }, (_, index) => storages[index % 2]?.count('requests', { period: 60_000, amount: 3 }))
    const totals = (await Promise.all(counts)).map((count) => count?.total)
    expect(totals.toSorted((a = 0, b = 0) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => (index + 1) * 3))
    for (const storage of storages) await storage.close()
  })

  test('keep the end of their first count, and begin anew after it', async () => {
    const storage = await open([])
    const before = Date.now()
    const first = await storage.count('logins', { period: 60_000 })
    expect(first.total).toBe(1)
    expect(first.endsAt.getTime()).toBeGreaterThanOrEqual(before + 60_000)
    expect(await storage.count('logins', { period: 3_600_000 })).toEqual({ total: 2, endsAt: first.endsAt })
    expect((await storage.count('others', { period: 60_000 })).total).toBe(1)
    const { endsAt } = await storage.count('short', { period: 1, amount: 7 })
    while (Date.now() < endsAt.getTime()) await nextTurn()
    expect((await storage.count('short', { period: 60_000 })).total).toBe(1)
    expect(await storage.audit.count()).toBe(0)
    await storage.count('ends', { period: 1 })
    const read = await storage.counters.read(['logins', 'others', 'never'])
    expect(Object.fromEntries([...read].map(([name, { total }]) => [name, total]))).toEqual({ logins: 2, others: 1 })
    expect(read.get('logins')?.endsAt).toEqual(first.endsAt)
    await storage.counters.reset('logins')
    expect(await storage.counters.read(['logins'])).toEqual(new Map())
    expect(await storage.counters.read([])).toEqual(new Map())
    expect((await storage.count('logins', { period: 60_000 })).total).toBe(1)
    for (const [name, options] of [
      ['', { period: 1 }],
      ['a\0', { period: 1 }],
      ['a', { period: 0 }],
      ['a', { period: 1, amount: 0.5 }],
    ] as const)
      await expect(storage.count(name, options)).rejects.toMatchObject({ code: 'invalid_options' })
  })

  test('that are over go also when the clock is set back by a year', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'], now: new Date('2031-01-01T12:00:00Z') })
    onTestFinished(() => void vi.useRealTimers())
    const storage = await open([])
    await storage.count('this year', { period: 1_000 })
    vi.setSystemTime(new Date('2030-01-01T12:00:00Z'))
    await storage.count('over', { period: 1_000 })
    vi.advanceTimersByTime(11 * 60_000)
    await storage.count('young', { period: 1_000 })
    const { rows } = await sql`SELECT name FROM strongroom_counters ORDER BY name`.execute(storage.kysely)
    expect(rows).toEqual([{ name: 'this year' }, { name: 'young' }])
  })

  test('are 200,000 at most after a clean-up, those that end first forgotten', async () => {
    const storage = await open([])
    const end = (text: string) => (engine.has('oneFile') ? sql`${text}` : sql`${text}::timestamptz`)
    const numbers = sql`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200005)`
    await storage.transaction(
      ({ kysely }) =>
        sql`INSERT INTO strongroom_counters (name, total, ends_at, row_version) ${numbers}
          SELECT 'old ' || i, 1, CASE WHEN i < 10 THEN ${end('2098-01-01T00:00:00.000Z')} ELSE ${end('2099-01-01T00:00:00.000Z')} END, i FROM n`
          .execute(kysely)
          .then(() => undefined),
      { unaudited: true },
    )
    await storage.count('new', { period: 60_000 })
    const left = await storage.counters.read(['old 1', 'old 9', 'old 10', 'old 200005', 'new'])
    expect([...left.keys()].toSorted()).toEqual(['new', 'old 10', 'old 200005'])
  })
})
