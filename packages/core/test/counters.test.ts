import { setImmediate as nextTurn } from 'node:timers/promises'
import { openStorage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
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
    for (const [name, options] of [
      ['', { period: 1 }],
      ['a\0', { period: 1 }],
      ['a', { period: 0 }],
      ['a', { period: 1, amount: 0.5 }],
    ] as const)
      await expect(storage.count(name, options)).rejects.toMatchObject({ code: 'invalid_options' })
  })
})
