import { median, medianInterval } from '../statistics.ts'

/** What was measured in pairs, or rounds, held against its goal. */
export interface Judged {
  readonly what: string
  readonly goal: number | null
  /** A goal is the most that it may be, or the least. */
  readonly goalIs: 'most' | 'least'
  readonly median: number
  /** It holds the true median in 19 of 20 cases. */
  readonly interval: readonly [number, number]
  readonly rounds: number
  /** Undecided where the goal lies within the interval. */
  readonly verdict: 'met' | 'missed' | 'undecided' | 'no goal'
  /** Medians of what else was seen. */
  readonly beside: Readonly<Record<string, number>>
  readonly line: string
}

export function judge({
  what,
  goal = null,
  goalIs = 'most',
  values,
  beside = {},
}: {
  readonly what: string
  readonly goal?: number | null
  readonly goalIs?: Judged['goalIs']
  readonly values: readonly number[]
  readonly beside?: Readonly<Record<string, readonly number[]>>
}): Judged {
  const [low, high] = medianInterval(values)
  const isWithin = (value: number): boolean => goal === null || (goalIs === 'most' ? value <= goal : value >= goal)
  const held = isWithin(low) && isWithin(high) ? 'met' : isWithin(low) || isWithin(high) ? 'undecided' : 'missed'
  const verdict = goal === null ? 'no goal' : held
  const middle = median(values)
  const rounded = (value: number): number => Number(value.toPrecision(4))
  const line = `${what}: ${rounded(middle)} (${rounded(low)} to ${rounded(high)}, ${values.length} rounds)${goal === null ? '' : `, at ${goalIs} ${goal}: ${verdict}`}`
  return {
    ...{ what, goal, goalIs, median: rounded(middle), interval: [rounded(low), rounded(high)], rounds: values.length, verdict },
    beside: Object.fromEntries(Object.entries(beside).map(([name, list]) => [name, rounded(median(list))])),
    line,
  }
}
