import type { OperationCount, Tally } from './tally.ts'

/** Rounds from which on every operation has to have been answered 50 times each way. A shorter run asks for its share of that. */
const fullRounds = 20_000
const fullAnswers = 50

/** How often each operation has to be answered each way in so many rounds. */
export function shareOf(rounds: number): number {
  return Math.min(fullAnswers, Math.floor((fullAnswers * rounds) / fullRounds))
}

/**
 * What the generator cannot ask for well; that it can be done is a test of the routes. A job is over before anybody could cancel it, and the
 * entries and units of work that can be proved or undone are told in no answer that it learns from.
 */
const refusalsOnly: readonly string[] = ['DELETE /db/jobs/{id}', 'GET /db/audit/{id}/proof', 'POST /db/revert']

/** They take neither body nor query, and are refused by a bad X-Request-Id alone: too seldom for a short run to count on. */
const refusedSeldom: readonly string[] = ['GET /openapi.json', 'GET /docs', 'GET /health', 'GET /ready']

export function unevenFaults(tally: Tally, atLeast: number): string[] {
  return [...tally.operations].flatMap(([name, { good, refused }]) => {
    const isRefused = refused >= atLeast || (atLeast < fullAnswers && refusedSeldom.includes(name))
    if ((good >= atLeast || refusalsOnly.includes(name)) && isRefused) return []
    return [`${name} was answered ${good} times with 2xx and ${refused} times with 4xx; each should be ${atLeast}`]
  })
}

/** The sums of a run's evidence. */
export function answersOf(tally: Tally): Record<string, number> {
  const sum = (numberOf: (count: OperationCount) => number): number =>
    [...tally.operations.values()].reduce((total, count) => total + numberOf(count), 0)
  return {
    answered2xx: sum(({ good }) => good),
    answered4xx: sum(({ refused }) => refused),
    answeredOtherwise: sum(({ other }) => other),
    faultsInAll: tally.faultCount,
  }
}

/** What stands in a run's evidence beside the sums. */
export function tallyDetails(tally: Tally): Record<string, unknown> {
  return {
    operations: Object.fromEntries(
      [...tally.operations].map(([name, { good, refused, other }]) => [name, { '2xx': good, '4xx': refused, other }]),
    ),
    slowest: { ...tally.slowest, unit: 'ms' },
    goodButRefused: Object.fromEntries(tally.refusedGood),
    breakages: Object.fromEntries([...tally.kinds].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}
