import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Judged, judge } from './judge.ts'

const script = (name: string): string => fileURLToPath(new URL(`./${name}.ts`, import.meta.url))

/** Milliseconds of one side of a pair. */
const window = 700

/** Pairs that the same processes make: what a process is compiled to, and where its memory lies, makes it slower or faster than its like by a tenth, for as long as it lives. */
const pairsOfProcesses = 3

/** What the chain may cost of the writes, by how a commit is synced. */
const most = { NORMAL: 0.35, FULL: 0.15 } as const

export interface ChainOptions {
  readonly pairs: number
  readonly report: (line: string) => void
}

/**
 * What the chain costs on SQLite: the same inserts by the library as it is, by one whose log has no triggers, and by one that leaves the chain out as well. The goal is held
 * against all of it: the entries' positions, their hashes, the head, and the triggers that keep all that append-only. What of it is the chain by itself, and what the triggers
 * take of the rest, is told beside it.
 */
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
  const setting = `synchronous=${synchronous}, ${writers === 1 ? 'one writer' : `${writers} writers`}`
  return (
    [
      ['perSecond', 'a second'],
      ['perProcessorSecond', 'a second of the processor, which other programs of the machine take nothing of'],
    ] as const
  ).flatMap(([unit, words]) =>
    comparisons.map(({ what, from, to, isJudged }) => {
      const judged = judge({
        what: `part of the inserts on SQLite in ${words} that ${what}, ${setting}`,
        goal: isJudged ? most[synchronous] : null,
        values: pairings.map((rates) => 1 - rates[to][unit] / rates[from][unit]),
        beside: {
          [`inserts ${sideWords[to]}`]: pairings.map((rates) => rates[to][unit]),
          [sideWords[from]]: pairings.map((rates) => rates[from][unit]),
        },
      })
      report(judged.line)
      return judged
    }),
  )
}

const sideNames = ['chained', 'unguarded', 'bare'] as const

type SideName = (typeof sideNames)[number]

const sideWords: Readonly<Record<SideName, string>> = { chained: 'with the chain', unguarded: 'without its triggers', bare: 'without' }

/** What the inserts of one side are fewer than those of another for. */
const comparisons: readonly { readonly what: string; readonly from: SideName; readonly to: SideName; readonly isJudged: boolean }[] = [
  { what: 'the chain costs, with the triggers that keep it append-only', from: 'bare', to: 'chained', isJudged: true },
  { what: 'the chain costs without them', from: 'bare', to: 'unguarded', isJudged: false },
  { what: 'these triggers cost where there is a chain', from: 'unguarded', to: 'chained', isJudged: false },
]

type Pairing = Readonly<Record<SideName, Rates>>

/** Pairs of processes, whose databases are new. */
async function pairsOf(folder: string, synchronous: Setting['synchronous'], writers: number, count: number): Promise<readonly Pairing[]> {
  const at = await mkdtemp(join(folder, 'chain-'))
  const sides: Side[] = []
  try {
    for (const name of sideNames) sides.push(await startSide(at, synchronous, name, writers))
    for (const side of sides) await side.insert()
    const pairings: Pairing[] = []
    for (let pair = 0; pair < count; pair++) {
      const rates: Partial<Record<SideName, Rates>> = {}
      // Who goes first changes from pair to pair.
      const first = pair % sides.length
      for (const { name, insert } of [...sides.slice(first), ...sides.slice(0, first)]) rates[name] = await insert()
      const { chained, unguarded, bare } = rates
      if (chained && unguarded && bare) pairings.push({ chained, unguarded, bare })
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

interface Side {
  readonly name: SideName
  readonly insert: () => Promise<Rates>
  readonly stop: () => void
}

async function startSide(folder: string, synchronous: string, name: SideName, writers: number): Promise<Side> {
  const child = fork(script('chain-side'), [join(folder, `${synchronous}-${name}-${writers}.db`), synchronous, name, String(writers)], {
    execArgv: ['--conditions=strongroom-source', ...(name === 'bare' ? ['--import', script('without-chain')] : [])],
  })
  await once(child, 'message')
  return {
    name,
    insert: async (): Promise<Rates> => {
      child.send(window)
      // The side answers what it has measured.
      const [answer] = (await once(child, 'message')) as [Rates]
      return answer
    },
    stop: () => void child.disconnect(),
  }
}
