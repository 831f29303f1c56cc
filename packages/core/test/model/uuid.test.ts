import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { makeRowVersion } from '../../src/model/row-version.ts'
import { makeUuid } from '../../src/model/uuid.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe('a UUID made here', () => {
  test('is of version 7 and variant 10, and holds the time in milliseconds', () => {
    const before = Date.now()
    const uuid = makeUuid()
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const time = Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16)
    expect(time).toBeGreaterThanOrEqual(before)
    expect(time).toBeLessThanOrEqual(Date.now() + 1000)
  })

  test('is greater than the one before it, however many fall into a millisecond', () => {
    const uuids = Array.from({ length: 50_000 }, () => makeUuid())
    for (let index = 1; index < uuids.length; index++)
      if (!((uuids[index] ?? '') > (uuids[index - 1] ?? ''))) expect(uuids[index - 1]).toBe(`less than ${uuids[index]}`)
    expect(new Set(uuids).size).toBe(uuids.length)
  })

  test('is greater than the one before it wherever the clock goes', () => {
    vi.useFakeTimers()
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4_000_000_000_000 }), { minLength: 1 }), (times) => {
        let last = makeUuid()
        for (const time of times) {
          vi.setSystemTime(time)
          const next = makeUuid()
          expect(next > last).toBe(true)
          last = next
        }
      }),
    )
  })
})

test('a row_version is 16 characters of base64url, and new each time', () => {
  const versions = Array.from({ length: 10_000 }, () => makeRowVersion())
  expect(versions.every((version) => /^[A-Za-z0-9_-]{16}$/.test(version))).toBe(true)
  expect(new Set(versions).size).toBe(versions.length)
})
