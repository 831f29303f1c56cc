import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { relativeMeanDeviation } from '../src/drift/deviation.ts'
import { countBins, populationStabilityIndex, quantileEdges } from '../src/drift/psi.ts'
import { scanDrift } from '../src/drift/scan.ts'

interface Reference {
  readonly published: { readonly expected: number[]; readonly actual: number[]; readonly printed: string }
  readonly psi: { readonly expected: number[]; readonly actual: number[]; readonly value: number }[]
  readonly deviation: { readonly reference: number[]; readonly current: number[]; readonly value: number }[]
}

/** Made by drift.py beside it, which has none of our code. */
const reference: Reference = JSON.parse(await readFile(new URL('./reference/drift.json', import.meta.url), 'utf8'))
const counts = fc.array(fc.nat(1000), { minLength: 1, maxLength: 20 }).filter((list) => list.some((count) => count > 0))

describe('the population stability index', () => {
  // https://ketchbrookanalytics.github.io/KAscore/reference/psi.html
  test('is what the reference of KAscore prints for its example, to every digit', () => {
    const { expected, actual, printed } = reference.published
    expect(populationStabilityIndex(expected, actual).toFixed(7)).toBe(printed)
  })

  test('agrees to 1e-12 with values from another program', () => {
    expect(reference.psi.length).toBeGreaterThan(20)
    for (const { expected, actual, value } of reference.psi) {
      expect(Math.abs(populationStabilityIndex(expected, actual) - value)).toBeLessThanOrEqual(1e-12 * Math.max(1, value))
    }
  })

  test('is 0 for the same distribution, never less, and the same both ways', () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 9 }), (list, times) => {
        expect(populationStabilityIndex(list, list)).toBe(0)
        const scaled = list.map((count) => count * times)
        expect(Math.abs(populationStabilityIndex(list, scaled))).toBeLessThan(1e-12)
        const others = list.toReversed()
        const there = populationStabilityIndex(list, others)
        expect(there).toBeGreaterThanOrEqual(0)
        expect(Math.abs(there - populationStabilityIndex(others, list))).toBeLessThan(1e-12)
      }),
    )
  })

  test('refuses bins that are not the same, and a distribution without values', () => {
    expect(() => populationStabilityIndex([1, 2], [1])).toThrow('the same bins')
    expect(() => populationStabilityIndex([0, 0], [1, 2])).toThrow('at least one value')
  })
})

describe('bins', () => {
  test('have as many values of the reference each, as far as equal values allow', () => {
    const values = Array.from({ length: 100 }, (_, index) => index)
    expect(countBins(values, quantileEdges(values, 10))).toEqual(Array.from({ length: 10 }, () => 10))
    expect(quantileEdges([5, 5, 5, 5], 10)).toEqual([5])
  })

  test('hold every value once', () => {
    const values = fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 50 })
    fc.assert(
      fc.property(values, values, (some, others) => {
        const total = countBins(others, quantileEdges(some, 10)).reduce((sum, count) => sum + count, 0)
        expect(total).toBe(others.length)
      }),
    )
  })
})

describe('the relative deviation of the mean', () => {
  // https://www.geeksforgeeks.org/all-equal-function-in-r/ has R print "Mean relative difference: 0.088" for all.equal() of these vectors. R takes the
  // mean of |target - current| over the mean of |target|, which is the same where, as here, all values moved in one direction and are positive.
  test('is what R prints for two vectors of a worked example, to every digit', () => {
    // R prints seven significant digits, and no zeros behind them
    expect(Number(relativeMeanDeviation([2, 3, 4, 5, 6], [2.4, 3.1, 4.6, 5.33, 6.33]).toPrecision(7))).toBe(0.088)
  })

  // https://en.wikipedia.org/wiki/Relative_change: a house of $100,000 that is worth $110,000 a year later has changed by 0.1 = 10 %
  test('is what is printed for the house of an encyclopedia', () => {
    expect(relativeMeanDeviation([100_000], [110_000])).toBe(0.1)
  })

  test('agrees to 1e-12 with values from another program', () => {
    expect(reference.deviation.length).toBeGreaterThan(10)
    for (const { reference: before, current, value } of reference.deviation) {
      expect(Math.abs(relativeMeanDeviation(before, current) - value)).toBeLessThanOrEqual(1e-12 * Math.max(1, value))
    }
  })

  test('is infinite where the mean has left 0, and 0 where it has not', () => {
    expect(relativeMeanDeviation([-1, 1], [1])).toBe(Number.POSITIVE_INFINITY)
    expect(relativeMeanDeviation([-1, 1], [-2, 2])).toBe(0)
  })
})

describe('a scan', () => {
  const thresholds = { deviation: 0.2, psi: 0.25 }
  const steady = Array.from({ length: 50 }, (_, index) => 100 + index)

  test('tells of each of many features how far it went, the worst first', () => {
    const names = Array.from({ length: 200 }, (_, index) => `feature_${index}`)
    const before = Object.fromEntries(names.map((name) => [name, steady]))
    const now = { ...before, feature_77: steady.map((value) => value * 2) }
    const found = scanDrift(before, now, thresholds)
    expect(found).toHaveLength(200)
    expect(found[0]).toMatchObject({ feature: 'feature_77', deviation: 1, drifted: true })
    expect(found.slice(1).every(({ drifted, psi, deviation }) => !drifted && psi === 0 && deviation === 0)).toBe(true)
  })

  test('finds a change of form that leaves the mean where it was', () => {
    const [one] = scanDrift({ a: steady }, { a: steady.map((value) => (value < 125 ? 100 : 149)) }, thresholds)
    expect(one?.deviation).toBeLessThan(0.01)
    expect(one?.drifted).toBe(true)
  })
})
