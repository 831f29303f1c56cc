/** Stands for the share of an empty bin, whose logarithm there is not. */
const emptyShare = 1e-4

/**
 * The population stability index of two distributions over the same bins: the sum of (actual - expected) * ln(actual / expected) over their
 * shares. Below 0.1 little has changed, from 0.25 on much (Siddiqi, Intelligent Credit Scoring, 2017, p. 369). The share of an empty bin
 * counts as 0.0001.
 *
 * @param expected how many values of the reference are in each bin
 * @param actual how many of the current ones
 * @throws RangeError where the bins are not the same, or one of the distributions is empty
 */
export function populationStabilityIndex(expected: readonly number[], actual: readonly number[]): number {
  if (expected.length !== actual.length) throw new RangeError('Both distributions need the same bins.')
  const before = shares(expected)
  const now = shares(actual)
  return before.reduce((sum, share, bin) => {
    const other = now[bin] ?? 0
    return sum + (other - share) * Math.log(other / share)
  }, 0)
}

function shares(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (!(total > 0)) throw new RangeError('A distribution needs at least one value.')
  return counts.map((count) => (count === 0 ? emptyShare : count / total))
}

/** The upper edges of all bins but the last, so that each has as many values of the reference as the others; equal edges are one. */
export function quantileEdges(reference: readonly number[], bins: number): number[] {
  const sorted = reference.toSorted((a, b) => a - b)
  const edges = Array.from({ length: bins - 1 }, (_, index) => sorted[Math.ceil(((index + 1) * sorted.length) / bins) - 1] ?? Number.NaN)
  return [...new Set(edges)]
}

/** How many values are in each bin: up to the first edge, above it and up to the second, …, above the last one. */
export function countBins(values: readonly number[], edges: readonly number[]): number[] {
  const counts = Array.from({ length: edges.length + 1 }, () => 0)
  for (const value of values) {
    const bin = edges.findIndex((edge) => value <= edge)
    const at = bin === -1 ? edges.length : bin
    counts[at] = (counts[at] ?? 0) + 1
  }
  return counts
}
