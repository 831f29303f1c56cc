import { randomUUID } from 'node:crypto'
import type { Agent } from 'node:http'
import { type CountingOptions, increment, makeCounter, shareRounds, unexpected } from './counting.ts'
import { counterFaults, incrementFaults, readCounts } from './counts.ts'
import { startCuttingProxy } from './cutting-proxy.ts'
import type { Evidence } from './evidence.ts'
import { type Answer, type Ask, exchange } from './exchange.ts'
import { seconds } from './kills.ts'
import { seededRandom } from './random.ts'
import { startServer } from './server-process.ts'

interface RetryCounts {
  /** Requests whose answer never came whole. */
  unanswered: number
  /** Answers that an earlier try had got. */
  replayed: number
  /** Answers that said that an earlier try is still under way. */
  underWay: number
}

/**
 * 16 clients write with an Idempotency-Key over connections that are cut, and repeat each request until its answer comes whole. In each
 * round one inserts a record that nothing but its key keeps from being inserted twice, and increments a counter that all share.
 */
export async function exactlyOnceCampaign(options: CountingOptions): Promise<Evidence> {
  const { engine, seed, rounds, url } = options
  const started = performance.now()
  const retries: RetryCounts = { unanswered: 0, replayed: 0, underWay: 0 }
  const counts = { stale: 0 }
  const faults: string[] = []
  const values: number[] = []
  const records = new Map<string, number>()
  const server = await startServer(url)
  const proxy = await startCuttingProxy(server.url, seededRandom(seed))
  let done = 0
  try {
    const counter = proxy.url + (await makeCounter(server.url))
    done = await shareRounds(options, faults, async (agent) => {
      const ask = (request: Ask) => askUntilAnswered(agent, request, retries)
      const key = randomUUID()
      records.set(key, await insertOnce(ask, `${proxy.url}/increments`, key))
      values.push(await increment(ask, counter, counts, () => ({ 'idempotency-key': randomUUID() })))
    })
  } finally {
    await proxy.close()
    await server.stop()
  }
  const stored = await readCounts(url)
  faults.push(...counterFaults(stored, values), ...incrementFaults(stored, records))
  const shown = { replayed: retries.replayed, ...proxy.cuts }
  for (const [what, times] of Object.entries(shown)) if (times === 0) faults.push(`${what} is 0, so it shows nothing`)
  const all = { inserted: records.size, incremented: values.length, ...counts, ...retries, ...proxy.cuts }
  return { campaign: 'exactly-once', engine, seed, roundsAsked: rounds, roundsDone: done, counts: all, faults, duration: seconds(started) }
}

/** Answers the id of the record that the key has made. */
async function insertOnce(ask: (request: Ask) => Promise<Answer>, url: string, key: string): Promise<number> {
  const answer = await ask({ method: 'POST', url, headers: { 'idempotency-key': key }, body: { key } })
  const record = answer.body as { id: number; key: string }
  if (answer.status !== 201 || record.key !== key) throw unexpected(answer, `to insert ${key}`)
  return record.id
}

/** Tries after which a request counts as one that is never answered. */
const mostTries = 1_000

/** Sends the same request, its key included, until an answer comes whole that says what came of it. */
async function askUntilAnswered(agent: Agent, request: Ask, counts: RetryCounts): Promise<Answer> {
  for (let tries = 0; tries < mostTries; tries++) {
    const answer = await exchange(agent, request)
    if (answer === undefined) counts.unanswered++
    else if (answer.status === 409 && (answer.body as { code?: unknown }).code === 'state_conflict') counts.underWay++
    else {
      if (answer.headers['idempotent-replayed'] === 'true') counts.replayed++
      return answer
    }
  }
  throw new Error(`${request.method} got no answer in ${mostTries} tries`)
}
