import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { tempFolder } from '@strongroom/testkit'
import type { Evidence } from './evidence.ts'
import { findFaults, readStored } from './examine.ts'
import { Ledger } from './ledger.ts'
import { seededRandom } from './random.ts'
import { promisedReady, type ServerProcess, startServer } from './server-process.ts'
import { runWriter } from './writer.ts'

const writers = 64

export interface CampaignOptions {
  readonly rounds: number
  readonly seed: number
  readonly report?: (line: string) => void
}

/** `kill -9` in the middle of 64 writers, again and again: each acknowledged write is there afterwards, with exactly its audit entries. */
export async function killCampaign({ rounds, seed, report = () => undefined }: CampaignOptions): Promise<Evidence> {
  const started = performance.now()
  const random = seededRandom(seed)
  const folder = await tempFolder('kills')
  const faults: string[] = []
  const counts = { acknowledged: 0, unanswered: 0, stored: 0, slowestStart: 0, slowestOwnStart: 0 }
  let done = 0
  try {
    for (; done < rounds; done++) {
      const database = join(folder.path, `round-${done}.db`)
      const { ledger, readyAfter, ownReadyAfter } = await killOnce(database, done, 50 + random() * 700)
      const stored = await readStored(database)
      faults.push(...findFaults(ledger, stored).map((fault) => `round ${done}: ${fault}`))
      if (ledger.acknowledged === 0) faults.push(`round ${done}: nothing was acknowledged before the kill, so it shows nothing`)
      if (ownReadyAfter >= promisedReady) {
        faults.push(`round ${done}: the restart took ${Math.round(ownReadyAfter)} ms to be ready; ${promisedReady} are promised`)
      }
      counts.acknowledged += ledger.acknowledged
      counts.unanswered += ledger.unanswered
      counts.stored += stored.entries.length
      counts.slowestStart = Math.max(counts.slowestStart, Math.round(readyAfter))
      counts.slowestOwnStart = Math.max(counts.slowestOwnStart, Math.round(ownReadyAfter))
      report(
        `kill ${done + 1}/${rounds}: ${ledger.acknowledged} acknowledged, ${ledger.unanswered} cut off, ${faults.length} faults so far`,
      )
      for (const ending of ['', '-wal', '-shm']) await rm(`${database}${ending}`, { force: true })
    }
  } finally {
    await folder.remove()
  }
  return { campaign: 'kills', engine: 'sqlite', seed, roundsAsked: rounds, roundsDone: done, counts, faults, duration: seconds(started) }
}

interface Life extends Pick<ServerProcess, 'readyAfter' | 'ownReadyAfter'> {
  readonly ledger: Ledger
}

/** One life: writers run, the server is killed after so many milliseconds, and started again on what it left. */
async function killOnce(database: string, round: number, after: number): Promise<Life> {
  const ledger = new Ledger()
  const server = await startServer(database)
  let stopped = false
  const options = { url: server.url, ledger, prefix: `r${round}`, stopped: () => stopped, writesPerRecord: 5 }
  const running = Promise.all(Array.from({ length: writers }, (_, writer) => runWriter(options, writer)))
  await new Promise((resolve) => setTimeout(resolve, after))
  await server.kill()
  stopped = true
  await running
  const again = await startServer(database)
  await again.stop()
  const { readyAfter, ownReadyAfter } = again
  return { ledger, readyAfter, ownReadyAfter }
}

export function seconds(started: number): number {
  return Math.round((performance.now() - started) / 100) / 10
}
