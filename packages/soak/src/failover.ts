import { setTimeout as pause } from 'node:timers/promises'
import { startPostgresCluster } from '@strongroom/testkit'
import { readCounts } from './counts.ts'
import type { Evidence } from './evidence.ts'
import { findFaults, type StoredState } from './examine.ts'
import { type CampaignOptions, seconds } from './kills.ts'
import { Ledger } from './ledger.ts'
import { seededRandom } from './random.ts'
import { startServer } from './server-process.ts'
import { runWriter } from './writer.ts'

const writers = 32

/** Milliseconds from the end of the promotion in which service is promised to be back. */
const promised = 10_000

/** Writes that are acknowledged before the primary is killed, and after the standby has taken over. */
const writesAround = 300

/** Milliseconds to look for that many. */
const patience = 60_000

/**
 * A primary with a standby that has to confirm each commit, both durable; 32 clients of a server write. All processes of the primary are
 * killed, a while later the standby is promoted: what was acknowledged is there, with exactly its audit entries, and clients saw nothing
 * but 503, of which those that say `commit_unknown` may have happened.
 */
export async function failoverCampaign({ rounds, seed, report = () => undefined }: CampaignOptions): Promise<Evidence> {
  const started = performance.now()
  const random = seededRandom(seed)
  const faults: string[] = []
  const counts = { acknowledged: 0, refused: 0, unknown: 0, unknownStored: 0, slowestReturn: 0 }
  let done = 0
  for (; done < rounds && faults.length < 20; done++) {
    const { ledger, stored, returned } = await failOver(done, { more: random() * 1_000, outage: random() * 1_000 })
    faults.push(...findFaults(ledger, stored).map((fault) => `round ${done}: ${fault}`))
    if (ledger.unanswered > 0) faults.push(`round ${done}: ${ledger.unanswered} requests were not answered`)
    if (returned >= promised) faults.push(`round ${done}: service was back after ${Math.round(returned)} ms; ${promised} are promised`)
    const values = new Map(stored.counters.map(({ name, value }) => [name, value]))
    counts.acknowledged += ledger.acknowledged
    counts.refused += ledger.refused
    counts.unknown += ledger.unknown
    counts.unknownStored += ledger.lines.filter(({ name, inFlight }) => inFlight !== undefined && values.get(name) === inFlight).length
    counts.slowestReturn = Math.max(counts.slowestReturn, Math.round(returned))
    report(
      `failover ${done + 1}/${rounds}: ${ledger.acknowledged} acknowledged, ${ledger.refused} refused, ${ledger.unknown} of unknown outcome, back after ${Math.round(returned)} ms`,
    )
  }
  if (counts.refused + counts.unknown === 0) faults.push('no client noticed anything, so it shows nothing')
  return {
    campaign: 'failover',
    engine: 'postgres',
    seed,
    roundsAsked: rounds,
    roundsDone: done,
    counts,
    faults,
    duration: seconds(started),
  }
}

interface Failover {
  readonly ledger: Ledger
  readonly stored: StoredState
  /** Milliseconds from the end of the promotion to the first write that was acknowledged. */
  readonly returned: number
}

/** `more` milliseconds of writing, until the primary is killed; `outage` milliseconds until the standby is promoted. */
async function failOver(round: number, { more, outage }: { readonly more: number; readonly outage: number }): Promise<Failover> {
  const cluster = await startPostgresCluster()
  try {
    const server = await startServer(cluster.url)
    const ledger = new Ledger()
    let stopped = false
    try {
      const options = { url: server.url, ledger, prefix: `r${round}`, stopped: () => stopped, writesPerRecord: 5, pause: 20 }
      const running = Promise.all(Array.from({ length: writers }, (_, writer) => runWriter(options, writer)))
      await acknowledgedPast(ledger, writesAround)
      await pause(more)
      await cluster.killPrimary()
      await pause(outage)
      await cluster.promoteStandby()
      const promoted = performance.now()
      const before = ledger.acknowledged
      await acknowledgedPast(ledger, before + 1)
      const returned = performance.now() - promoted
      await acknowledgedPast(ledger, before + writesAround)
      stopped = true
      await running
      return { ledger, returned, stored: await readCluster(cluster.standbyUrl) }
    } finally {
      stopped = true
      await server.stop()
    }
  } finally {
    await cluster.stop()
  }
}

async function acknowledgedPast(ledger: Ledger, count: number): Promise<void> {
  const giveUpAt = performance.now() + patience
  while (ledger.acknowledged < count) {
    if (ledger.surprises.length > 0 || performance.now() > giveUpAt) throw new Error(`no further writes: ${ledger.surprises.join('; ')}`)
    await pause(5)
  }
}

/** The server that took over, read by nothing of ours. */
async function readCluster(url: string): Promise<StoredState> {
  const { counters, entries } = await readCounts(url)
  return { integrity: 'ok', orphans: 0, counters, entries: entries.filter(({ component }) => component === 'counters') }
}
