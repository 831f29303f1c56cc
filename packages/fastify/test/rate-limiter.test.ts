import { expect, onTestFinished, test, vi } from 'vitest'
import { addressKey } from '../src/edge/caller-key.ts'
import { RateLimiter, type RateLimiterParts } from '../src/edge/rate-limiter.ts'

/** A counter as the database would keep it. */
function counter(): { count: RateLimiterParts['count']; asked: () => number; fail: (failing: boolean) => void } {
  const totals = new Map<string, { total: number; endsAt: Date }>()
  let asked = 0
  let failing = false
  return {
    asked: () => asked,
    fail: (value) => {
      failing = value
    },
    count: async (name, { period, amount = 1 }) => {
      asked++
      if (failing) throw new Error('no database')
      const { total, endsAt } = totals.get(name) ?? { total: 0, endsAt: new Date(Date.now() + period) }
      totals.set(name, { total: total + amount, endsAt })
      return { total: total + amount, endsAt }
    },
  }
}

async function admitted(limiter: RateLimiter, tries: number, caller = 'ada'): Promise<number> {
  const verdicts = await Promise.all(Array.from({ length: tries }, () => limiter.admit(caller)))
  return verdicts.filter(({ allowed }) => allowed).length
}

const parts = { requests: 100, period: 60_000, warn: () => undefined }

test('one process admits exactly the limit, and asks the database once for every tenth of it', async () => {
  const { count, asked } = counter()
  const limiter = new RateLimiter({ ...parts, count })
  expect(await admitted(limiter, 95)).toBe(95)
  expect(asked()).toBe(10)
  expect(await limiter.admit('ada')).toMatchObject({ allowed: true, remaining: 4 })
  expect(await admitted(limiter, 50)).toBe(4)
  expect(await limiter.admit('ada')).toMatchObject({ allowed: false, remaining: 0 })
  expect(asked()).toBe(10)
  expect(await admitted(limiter, 3, 'bob')).toBe(3)
})

test('several processes never admit more than the limit together, and leave at most a tenth each unused', async () => {
  const { count } = counter()
  const limiters = [0, 1, 2].map(() => new RateLimiter({ ...parts, count }))
  for (const limiter of limiters) await admitted(limiter, 5)
  const [first, ...others] = await Promise.all(limiters.map((limiter, index) => admitted(limiter, index === 0 ? 200 : 0)))
  expect(others).toEqual([0, 0])
  const total = 15 + (first ?? 0)
  expect(total).toBeGreaterThanOrEqual(100 - 2 * 10)
  expect(total).toBeLessThanOrEqual(100)
  const left = await Promise.all(limiters.map((limiter) => admitted(limiter, 50)))
  expect(total + left.reduce((sum, some) => sum + some, 0)).toBe(100)
})

test('while the database does not count, a process holds to the limit by itself, and asks it no more than now and then', async () => {
  const { count, asked, fail } = counter()
  const warnings: string[] = []
  const limiter = new RateLimiter({ ...parts, count, warn: (message) => warnings.push(message) })
  expect(await admitted(limiter, 15)).toBe(15)
  fail(true)
  expect(await admitted(limiter, 200)).toBe(85)
  expect(asked()).toBe(3)
  expect(warnings).toHaveLength(1)
})

test('the database is asked again after a while, also when the clock is set back by a day meanwhile', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'], now: new Date('2030-01-02T12:00:00Z') })
  onTestFinished(() => void vi.useRealTimers())
  const { count, asked, fail } = counter()
  const limiter = new RateLimiter({ ...parts, count })
  fail(true)
  await limiter.admit('ada')
  fail(false)
  vi.setSystemTime(new Date('2030-01-01T12:00:00Z'))
  vi.advanceTimersByTime(10_000)
  await limiter.admit('bob')
  expect(asked()).toBe(2)
})

test('a period that is over begins anew', async () => {
  const limiter = new RateLimiter({
    ...parts,
    requests: 1,
    count: async (_name, { period }) => ({ total: 1, endsAt: new Date(Date.now() + period) }),
    period: 1,
  })
  const verdicts = [await limiter.admit('ada')]
  while (verdicts.filter(({ allowed }) => allowed).length < 2) verdicts.push(await limiter.admit('ada'))
  expect(verdicts[0]?.allowed).toBe(true)
})

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:DB8::1', '2001:db8:0:0::/64'],
  ['2001:db8:0:0:ffff::2', '2001:db8:0:0::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('%s is counted as %s', (address, key) => {
  expect(addressKey(address)).toBe(key)
})
