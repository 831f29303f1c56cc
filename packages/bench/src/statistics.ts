/** The middle value; of an even number of values, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Certainty with which an interval holds the true median. */
const certainty = 0.95

/**
 * An interval that holds the median of what the values are a sample of, whatever its distribution: from the nth value from below to the nth
 * from above, where fewer than n of them lie beyond the median by chance (binomial) in at most 2.5 % of samples on each side.
 */
export function medianInterval(values: readonly number[]): [number, number] {
  const sorted = [...values].sort((a, b) => a - b)
  const count = sorted.length
  let chance = 0.5 ** count
  let below = chance
  let rank = 0
  while (below <= (1 - certainty) / 2) {
    rank += 1
    chance *= (count - rank + 1) / rank
    below += chance
  }
  // With fewer than six values not even the outermost ones are far enough apart.
  const place = Math.max(0, rank - 1)
  return [sorted[place] ?? Number.NaN, sorted[count - 1 - place] ?? Number.NaN]
}

/** One thing that was measured on both sides, round by round. */
export interface Pairing {
  readonly what: string
  readonly unit: string
  /** Per round: ours, theirs. More is better. */
  readonly rounds: readonly (readonly [number, number])[]
}

export interface PairingSummary {
  readonly what: string
  readonly unit: string
  readonly strongroom: number
  readonly hand: number
  /** Median of the per-round ratios ours/theirs, with the least and the greatest. */
  readonly ratio: number
  readonly leastRatio: number
  readonly greatestRatio: number
  readonly rounds: number
}

export function summarise({ what, unit, rounds }: Pairing): PairingSummary {
  const ratios = rounds.map(([ours, theirs]) => ours / theirs)
  return {
    what,
    unit,
    strongroom: median(rounds.map(([ours]) => ours)),
    hand: median(rounds.map(([, theirs]) => theirs)),
    ratio: median(ratios),
    leastRatio: Math.min(...ratios),
    greatestRatio: Math.max(...ratios),
    rounds: rounds.length,
  }
}
