import { join } from 'node:path'
import { onPostgres } from '../on-postgres.ts'
import { median, medianInterval } from '../statistics.ts'
import { type Cost, type Side, startSide } from './side.ts'

export interface GovernanceOptions {
  readonly pairs: number
  /** Requests of one run. */
  readonly amount: number
  readonly engines: readonly ('sqlite' | 'postgres')[]
  /** What is on, on the one side. */
  readonly parts: string
  /** Options of Node for both servers. */
  readonly node: readonly string[]
  readonly report: (line: string) => void
}

/** The goal: processor time for a request, with everything on, over that with everything off. */
const goal = 1.15
const connections = 64
const operations = ['get', 'post'] as const

interface Result {
  readonly what: string
  /** Microseconds for a request; medians. */
  readonly on: number
  readonly off: number
  /** Median of the pairs' quotients, and an interval that holds the true one with 95 % certainty. */
  readonly ratio: number
  readonly interval: readonly [number, number]
  readonly verdict: 'met' | 'missed' | 'undecided'
  readonly pairs: readonly (readonly [number, number])[]
  readonly perSecond: { readonly on: number; readonly off: number }
}

/** What everything that governs a server costs: the same requests to a server with it and to one without, in turn. */
export async function governanceBench(folder: string, options: GovernanceOptions): Promise<Record<string, unknown>> {
  const results: Result[] = []
  for (const engine of options.engines) {
    if (engine === 'sqlite')
      results.push(...(await onEngine(folder, engine, { on: sqlite(folder, 'on'), off: sqlite(folder, 'off') }, options)))
    else {
      const measure = (on: string): Promise<Result[]> => onPostgres('governance', (off) => onEngine(folder, engine, { on, off }, options))
      results.push(...(await onPostgres('governance', measure)))
    }
  }
  return {
    what: 'microseconds of processor time of the server’s process for a request, everything on over everything off',
    on: options.parts,
    node: options.node,
    goal,
    pairsAsked: options.pairs,
    pairsDone: Math.min(...results.map(({ pairs }) => pairs.length)),
    requestsOfEachRun: options.amount,
    connections,
    results,
  }
}

function sqlite(folder: string, name: string): string {
  return `sqlite:${join(folder, `governance-${name}.db`)}`
}

async function onEngine(
  folder: string,
  engine: string,
  databases: { readonly on: string; readonly off: string },
  { pairs, amount, parts, node, report }: GovernanceOptions,
): Promise<Result[]> {
  const logFile = join(folder, engine, 'server.log')
  const on = await startSide({ database: databases.on, logFile, parts, node })
  const off = await startSide({ database: databases.off, logFile, parts: 'none', node })
  try {
    const results: Result[] = []
    for (const operation of operations) {
      const costs = await inPairs(on, off, { operation, connections, amount }, pairs)
      const result = summary(`${engine}: ${operation}`, costs)
      report(
        `${result.what}: ${result.on.toFixed(1)} µs on, ${result.off.toFixed(1)} off, ${result.ratio.toFixed(3)} (${result.interval.map((end) => end.toFixed(3)).join('–')}), ${result.verdict}`,
      )
      results.push(result)
    }
    return results
  } finally {
    await on.stop()
    await off.stop()
  }
}

/** The first run of each warms it, and every other pair begins with the other side. */
async function inPairs(on: Side, off: Side, order: Parameters<Side['load']>[0], pairs: number): Promise<[Cost, Cost][]> {
  const costs: [Cost, Cost][] = []
  for (let pair = -1; pair < pairs; pair++) {
    const first = await (pair % 2 === 0 ? on : off).load(order)
    const second = await (pair % 2 === 0 ? off : on).load(order)
    if (pair >= 0) costs.push(pair % 2 === 0 ? [first, second] : [second, first])
  }
  return costs
}

function summary(what: string, costs: readonly (readonly [Cost, Cost])[]): Result {
  const ratios = costs.map(([on, off]) => on.microseconds / off.microseconds)
  const interval = medianInterval(ratios)
  const round = (value: number): number => Math.round(value * 1000) / 1000
  return {
    what,
    on: round(median(costs.map(([on]) => on.microseconds))),
    off: round(median(costs.map(([, off]) => off.microseconds))),
    ratio: round(median(ratios)),
    interval: [round(interval[0]), round(interval[1])],
    verdict: interval[1] < goal ? 'met' : interval[0] > goal ? 'missed' : 'undecided',
    pairs: costs.map(([on, off]) => [round(on.microseconds), round(off.microseconds)]),
    perSecond: {
      on: Math.round(median(costs.map(([on]) => on.perSecond))),
      off: Math.round(median(costs.map(([, off]) => off.perSecond))),
    },
  }
}
