import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Judged, judge } from './judge.ts'

const script = (name: string): string => fileURLToPath(new URL(`./${name}.ts`, import.meta.url))

/** Milliseconds of one side of a pair. */
const window = 1_000

/** What the chain may cost of the writes, by how a commit is synced. */
const most = { NORMAL: 0.35, FULL: 0.15 } as const

export interface ChainOptions {
  readonly pairs: number
  readonly report: (line: string) => void
}

/** What the chain costs on SQLite: the same inserts by the library as it is, and by one that leaves the chain out. */
export async function chainBench(folder: string, { pairs, report }: ChainOptions): Promise<readonly Judged[]> {
  const results: Judged[] = []
  for (const synchronous of ['NORMAL', 'FULL'] as const) {
    const sides = [await startSide(folder, synchronous, 'chained'), await startSide(folder, synchronous, 'bare')] as const
    try {
      for (const side of sides) await side.insert()
      const ratios: number[] = []
      const rates: [number, number][] = []
      for (let pair = 0; pair < pairs; pair++) {
        // Who goes first changes from pair to pair.
        const order = pair % 2 === 0 ? [0, 1] : [1, 0]
        const rate: [number, number] = [0, 0]
        for (const which of order) rate[which as 0 | 1] = await sides[which as 0 | 1].insert()
        rates.push(rate)
        ratios.push(1 - rate[0] / rate[1])
      }
      const judged = judge({
        what: `part of the inserts on SQLite that the chain costs, synchronous=${synchronous}`,
        goal: most[synchronous],
        values: ratios,
        beside: { 'inserts per second with the chain': rates.map(([chained]) => chained), without: rates.map(([, bare]) => bare) },
      })
      report(judged.line)
      results.push(judged)
    } finally {
      for (const side of sides) side.stop()
    }
  }
  return results
}

async function startSide(folder: string, synchronous: string, kind: 'chained' | 'bare') {
  const child = fork(script('chain-side'), [join(folder, `${synchronous}-${kind}.db`), synchronous, kind], {
    execArgv: ['--conditions=strongroom-source', ...(kind === 'bare' ? ['--import', script('without-chain')] : [])],
  })
  await once(child, 'message')
  return {
    insert: async (): Promise<number> => {
      child.send(window)
      // The side answers what it has measured.
      const [answer] = (await once(child, 'message')) as [{ readonly perSecond: number }]
      return answer.perSecond
    },
    stop: () => void child.disconnect(),
  }
}
