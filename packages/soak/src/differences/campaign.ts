import { isDeepStrictEqual } from 'node:util'
import type { EngineName } from '@strongroom/testkit'
import type { Evidence } from '../evidence.ts'
import { type CampaignOptions, seconds } from '../kills.ts'
import { Dice } from '../requests/dice.ts'
import { Asking } from './ask.ts'
import { type SharedAnswer, Side } from './side.ts'

export interface DifferencesOptions extends CampaignOptions {
  /** An empty database of each engine. */
  readonly urls: Readonly<Record<EngineName, string>>
}

/** Faults after which a run ends: the two databases are not the same any more, and what follows would follow from that. */
const mostFaults = 5

/** How often the time is kept, to be asked for later. */
const noteChance = 0.02

/** Characters of an answer that a fault shows. */
const mostShown = 3_000

/** The same random requests to a server on SQLite and to one on PostgreSQL, whose answers have to be the same. Rounds are requests. */
export async function differencesCampaign({ urls, rounds, seed, report = () => undefined }: DifferencesOptions): Promise<Evidence> {
  const started = performance.now()
  const sqlite = await Side.open(urls.sqlite)
  const postgres = await Side.open(urls.postgres)
  const dice = new Dice(seed)
  const asking = new Asking(dice)
  const faults: string[] = []
  const counts: Record<string, number> = {}
  let done = 0
  try {
    for (; done < rounds && faults.length < mostFaults; done++) {
      const question = asking.next()
      const [one, other] = await Promise.all([sqlite.ask(question), postgres.ask(question)])
      const kind = `${question.kind}, ${one.status < 400 ? 'done' : 'refused'}`
      counts[kind] = (counts[kind] ?? 0) + 1
      if (one.status >= 500 || !isDeepStrictEqual(one, other)) {
        faults.push(`request ${done}: ${JSON.stringify(question)}\n  sqlite   ${tell(one)}\n  postgres ${tell(other)}`)
      }
      if (dice.chance(noteChance)) await Promise.all([sqlite.note(), postgres.note()])
      if ((done + 1) % 1_000 === 0) report(`${done + 1} of ${rounds} requests, ${faults.length} faults`)
    }
  } finally {
    await Promise.all([sqlite.close(), postgres.close()])
  }
  const neverZero = Object.keys(counts)
    .filter((kind) => kind.endsWith('refused'))
    .map((kind) => kind.replace('refused', 'done'))
  return {
    campaign: 'differences',
    engine: 'both',
    seed,
    roundsAsked: rounds,
    roundsDone: done,
    counts,
    neverZero,
    faults,
    duration: seconds(started),
  }
}

function tell(answer: SharedAnswer): string {
  return JSON.stringify(answer).slice(0, mostShown)
}
