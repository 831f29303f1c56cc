import type { Rounds } from '../beside-hand/rounds.ts'
import { median } from '../statistics.ts'

/** How something grows along an axis. */
export interface Curve {
  readonly what: string
  readonly unit: string
  /** At each point of the axis, the median of the rounds. */
  readonly values: readonly number[]
  /** By the clock, or other figures of the same runs, by name. */
  readonly beside: Readonly<Record<string, readonly number[]>>
  /** The last point over the one that it is held against, round by round: median, least and greatest. What must grow is judged by its steepness. */
  readonly ratio: number
  readonly leastRatio: number
  readonly greatestRatio: number
  /** Grows with the axis, since it has that much more to do. */
  readonly mustGrow: boolean
  readonly limit: number | null
  readonly verdict: 'met' | 'missed' | 'no goal'
  readonly rounds: number
  readonly silentRounds: number
}

export interface CurveQuestion<Found> {
  readonly what: string
  readonly unit: string
  readonly points: readonly number[]
  /** The place of the point that the last one is held against. */
  readonly against: number
  readonly value: (found: Found) => number
  readonly beside?: Readonly<Record<string, (found: Found) => number>>
  readonly mustGrow?: boolean
  readonly limit?: number
}

/** What the rounds of one operation come to, each of which has a figure for each point. */
export function curveOf<Found>({ kept, silent, measured }: Rounds<Found>, question: CurveQuestion<Found>): Curve {
  const { what, unit, points, against, value, beside = {}, mustGrow = false, limit = null } = question
  const medians = (figure: (found: Found) => number): number[] =>
    points.map((_, place) => rounded(median(kept.flatMap((found) => found.slice(place, place + 1).map(figure)))))
  const ratios = kept.map((found) => growth(found.map(value), { points, against, mustGrow }))
  const ratio = rounded(median(ratios))
  return {
    what,
    unit,
    values: medians(value),
    beside: Object.fromEntries(Object.entries(beside).map(([name, figure]) => [name, medians(figure)])),
    ratio,
    leastRatio: rounded(Math.min(...ratios)),
    greatestRatio: rounded(Math.max(...ratios)),
    mustGrow,
    limit,
    verdict: limit === null ? 'no goal' : ratio <= limit ? 'met' : 'missed',
    rounds: measured,
    silentRounds: silent,
  }
}

/** How much more the last point costs; of what must grow, how much steeper the last stretch is than those before it. */
function growth(
  values: readonly number[],
  { points, against, mustGrow }: Pick<CurveQuestion<never>, 'points' | 'against'> & { readonly mustGrow: boolean },
): number {
  const last = values.length - 1
  const at = (list: readonly number[], place: number): number => list[place] ?? Number.NaN
  // Two points have no stretch before the last.
  if (!mustGrow || values.length < 3) return at(values, last) / at(values, against)
  const steepness = (from: number, to: number): number => (at(values, to) - at(values, from)) / (at(points, to) - at(points, from))
  return steepness(last - 1, last) / steepness(0, last - 1)
}

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}
