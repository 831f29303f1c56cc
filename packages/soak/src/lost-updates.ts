import type { Agent } from 'node:http'
import { type CountingOptions, increment, makeCounter, shareRounds } from './counting.ts'
import { counterFaults, readCounts } from './counts.ts'
import type { Evidence } from './evidence.ts'
import { type Answer, type Ask, exchange } from './exchange.ts'
import { seconds } from './kills.ts'
import { startServer } from './server-process.ts'

/** 16 clients increment one counter by GET and PUT with If-Match, and repeat what is answered 412: not one update is lost. */
export async function lostUpdatesCampaign(options: CountingOptions): Promise<Evidence> {
  const { engine, seed, rounds, url } = options
  const started = performance.now()
  const counts = { acknowledged: 0, stale: 0 }
  const faults: string[] = []
  const acknowledged: number[] = []
  const server = await startServer(url)
  let done = 0
  try {
    const counter = server.url + (await makeCounter(server.url))
    done = await shareRounds(options, faults, async (agent) => {
      acknowledged.push(
        await increment(
          (ask) => answered(agent, ask),
          counter,
          counts,
          () => ({}),
        ),
      )
    })
  } finally {
    await server.stop()
  }
  counts.acknowledged = acknowledged.length
  if (counts.stale === 0) faults.push('nothing was ever answered 412, so it shows nothing')
  faults.push(...counterFaults(await readCounts(url), acknowledged))
  return { campaign: 'lost-updates', engine, seed, roundsAsked: rounds, roundsDone: done, counts, faults, duration: seconds(started) }
}

async function answered(agent: Agent, ask: Ask): Promise<Answer> {
  const answer = await exchange(agent, ask)
  if (answer === undefined) throw new Error(`${ask.method} got no answer`)
  return answer
}
