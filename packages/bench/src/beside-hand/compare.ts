import { median } from '../statistics.ts'
import type { Rounds } from './rounds.ts'

/** One thing that was measured on both sides. */
export interface Comparison {
  readonly what: string
  readonly against: string
  readonly unit: string
  /** Medians. */
  readonly strongroom: number
  readonly other: number
  /** How many times as good as the other side: the median of the rounds' ratios, with the least and the greatest. */
  readonly ratio: number
  readonly leastRatio: number
  readonly greatestRatio: number
  readonly rounds: number
  /** Rounds in which other programs took no more than a quarter of a processor; the medians are theirs where there are at least three. */
  readonly silentRounds: number
  readonly goal: number | null
}

export interface Question<Found> {
  readonly what: string
  readonly against: string
  readonly unit: string
  readonly value: (found: Found) => number
  /** Less is better: a time, not a rate. */
  readonly isTime?: boolean
  readonly goal?: number
}

/** Holds the first side against one of the others, round by round. */
export function compare<Found>({ kept, silent, measured }: Rounds<Found>, other: number, question: Question<Found>): Comparison {
  const { what, against, unit, value, isTime = false, goal = null } = question
  const pairs = kept.flatMap((found) => {
    const [ours, theirs] = [found[0], found[other]]
    return ours === undefined || theirs === undefined ? [] : [[value(ours), value(theirs)] as const]
  })
  const ratios = pairs.map(([ours, theirs]) => (isTime ? theirs / ours : ours / theirs))
  const round = (figure: number): number => Number(figure.toPrecision(4))
  return {
    what,
    against,
    unit,
    strongroom: round(median(pairs.map(([ours]) => ours))),
    other: round(median(pairs.map(([, theirs]) => theirs))),
    ratio: round(median(ratios)),
    leastRatio: round(Math.min(...ratios)),
    greatestRatio: round(Math.max(...ratios)),
    rounds: measured,
    silentRounds: silent,
    goal,
  }
}

/** A table for people. */
export function markdown(comparisons: readonly Comparison[]): string {
  const figure = (value: number): string => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2))
  const rows = comparisons.map(({ what, against, unit, strongroom, other, ratio, leastRatio, greatestRatio, goal }) => {
    const verdict = goal === null ? '' : `${Number(goal.toFixed(2))} ${ratio >= goal ? 'met' : '**missed**'}`
    const spread = `${leastRatio.toFixed(2)}–${greatestRatio.toFixed(2)}`
    return `| ${what} | ${against} | ${unit} | ${figure(strongroom)} | ${figure(other)} | ${ratio.toFixed(2)} | ${spread} | ${verdict} |`
  })
  return [
    '| what | beside | unit | Strongroom | other | times as good | least–greatest | goal |',
    '| --- | --- | --- | ---: | ---: | ---: | ---: | --- |',
    ...rows,
  ].join('\n')
}
