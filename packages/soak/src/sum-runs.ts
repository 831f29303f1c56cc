import type { Evidence } from './evidence.ts'

const sumOf = (runs: readonly Evidence[], numberOf: (run: Evidence) => number): number => runs.reduce((sum, run) => sum + numberOf(run), 0)
const rounded = (seconds: number): number => Math.round(seconds * 10) / 10

function sumCounts(runs: readonly Evidence[]): Record<string, number> {
  const names = new Set(runs.flatMap((run) => Object.keys(run.counts)))
  const most = (name: string): number => Math.max(...runs.map((run) => run.counts[name] ?? 0))
  return Object.fromEntries(
    [...names].map((name) => [name, name.startsWith('slowest') ? most(name) : sumOf(runs, (run) => run.counts[name] ?? 0)]),
  )
}

/** The evidence of a campaign that runs on several engines: the sums, and under `runs` each engine's own. */
export function sumRuns(runs: readonly Evidence[]): Evidence {
  const [first] = runs
  if (!first) throw new Error('A campaign ran on no engine.')
  return {
    campaign: first.campaign,
    engine: runs.map((run) => run.engine).join(', '),
    seed: first.seed,
    roundsAsked: sumOf(runs, (run) => run.roundsAsked),
    roundsDone: sumOf(runs, (run) => run.roundsDone),
    counts: sumCounts(runs),
    faults: runs.flatMap((run) => run.faults.map((fault) => `${run.engine}: ${fault}`)),
    duration: rounded(sumOf(runs, (run) => run.duration)),
    runs,
  }
}

/** Adds a part of a campaign to what was done before, engine by engine: some take longer than a machine can be had in one go. */
export function addPart(before: Evidence, part: Evidence): Evidence {
  const engines = new Map((before.runs ?? []).map((run) => [run.engine, run]))
  for (const run of part.runs ?? []) {
    const earlier = engines.get(run.engine)
    engines.set(run.engine, earlier ? joined(earlier, run) : run)
  }
  return sumRuns([...engines.values()])
}

function joined(before: Evidence, part: Evidence): Evidence {
  const both = [before, part]
  return {
    ...part,
    earlierSeeds: [...(before.earlierSeeds ?? []), before.seed],
    roundsAsked: before.roundsAsked + part.roundsAsked,
    roundsDone: before.roundsDone + part.roundsDone,
    counts: sumCounts(both),
    faults: [...before.faults, ...part.faults],
    duration: rounded(before.duration + part.duration),
  }
}

/** Counts that must not be zero, and are, by engine. */
export function zerosIn(evidence: Evidence): string[] {
  const runs = evidence.runs ?? [evidence]
  return runs.flatMap(({ engine, neverZero = [], counts }) =>
    neverZero.filter((name) => !counts[name]).map((name) => `${engine}: nothing was "${name}"`),
  )
}
