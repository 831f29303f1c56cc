import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { repeat } from '../src/transfer/schedule/repeat.ts'

const day = 86_400_000

describe('what is done again and again', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('has a first time, and is done at the same distance from then on, until it is stopped', () => {
    const times: number[] = []
    const start = Date.now()
    const stop = repeat({ first: 10, every: 100 }, () => times.push(Date.now() - start))
    vi.advanceTimersByTime(350)
    stop()
    vi.advanceTimersByTime(1_000)
    expect(times).toEqual([10, 110, 210, 310])
  })

  test('may be months away', () => {
    const times: number[] = []
    const start = Date.now()
    const stop = repeat({ first: 60 * day, every: 30 * day }, () => times.push((Date.now() - start) / day))
    vi.advanceTimersByTime(125 * day)
    stop()
    expect(times).toEqual([60, 90, 120])
  })
})
