import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Judged, judge } from './judge.ts'

const script = (name: string): string => fileURLToPath(new URL(`./${name}.ts`, import.meta.url))

/** Milliseconds of one side of a pair. */
const window = 700

/** Pairs that two processes make: what a process is compiled to, and where its memory lies, makes it slower or faster than its like by a tenth, for as long as it lives. */
const pairsOfProcesses = 3

/** What the chain may cost of the writes, by how a commit is synced. */
const most = { NORMAL: 0.35, FULL: 0.15 } as const

export interface ChainOptions {
  readonly pairs: number
  readonly report: (line: string) => void
}

/** What the chain costs on SQLite: the same inserts by the library as it is, and by one that leaves the chain out. */
export async function chainBench(folder: string, { pairs, report }: ChainOptions): Promise<readonly Judged[]> {
  const results: Judged[] = []
  // One has each commit for itself, which is synced for it alone; many share theirs.
  for (const synchronous of ['NORMAL', 'FULL'] as const)
    for (const writers of [1, 64]) results.push(...(await pairedSides(folder, { synchronous, writers, pairs, report })))
  return results
}

interface Setting extends ChainOptions {
  readonly synchronous: keyof typeof most
  readonly writers: number
}

async function pairedSides(folder: string, { synchronous, writers, pairs, report }: Setting): Promise<readonly Judged[]> {
  const pairings: Pairing[] = []
  while (pairings.length < pairs)
    pairings.push(...(await pairsOf(folder, synchronous, writers, Math.min(pairsOfProcesses, pairs - pairings.length))))
  return (
    [
      ['perSecond', 'a second'],
      ['perProcessorSecond', 'a second of the processor, which other programs of the machine take nothing of'],
    ] as const
  ).map(([unit, words]) => {
    const judged = judge({
      what: `part of the inserts on SQLite in ${words} that the chain costs, synchronous=${synchronous}, ${writers === 1 ? 'one writer' : `${writers} writers`}`,
      goal: most[synchronous],
      values: pairings.map(({ chained, bare }) => 1 - chained[unit] / bare[unit]),
      beside: {
        'inserts with the chain': pairings.map(({ chained }) => chained[unit]),
        without: pairings.map(({ bare }) => bare[unit]),
      },
    })
    report(judged.line)
    return judged
  })
}

interface Pairing {
  readonly chained: Rates
  readonly bare: Rates
}

/** Pairs of two processes, whose databases are new. */
async function pairsOf(folder: string, synchronous: Setting['synchronous'], writers: number, count: number): Promise<readonly Pairing[]> {
  const at = await mkdtemp(join(folder, 'chain-'))
  const sides = [await startSide(at, synchronous, 'chained', writers), await startSide(at, synchronous, 'bare', writers)] as const
  try {
    for (const side of sides) await side.insert()
    const pairings: Pairing[] = []
    for (let pair = 0; pair < count; pair++) {
      // Who goes first changes from pair to pair.
      const [first, second] = pair % 2 === 0 ? sides : sides.toReversed()
      const [one, other] = [await first?.insert(), await second?.insert()]
      if (one && other) pairings.push(pair % 2 === 0 ? { chained: one, bare: other } : { chained: other, bare: one })
    }
    return pairings
  } finally {
    for (const side of sides) side.stop()
  }
}

interface Rates {
  readonly perSecond: number
  readonly perProcessorSecond: number
}

async function startSide(folder: string, synchronous: string, kind: 'chained' | 'bare', writers: number) {
  const child = fork(script('chain-side'), [join(folder, `${synchronous}-${kind}-${writers}.db`), synchronous, kind, String(writers)], {
    execArgv: ['--conditions=strongroom-source', ...(kind === 'bare' ? ['--import', script('without-chain')] : [])],
  })
  await once(child, 'message')
  return {
    insert: async (): Promise<Rates> => {
      child.send(window)
      // The side answers what it has measured.
      const [answer] = (await once(child, 'message')) as [Rates]
      return answer
    },
    stop: () => void child.disconnect(),
  }
}
