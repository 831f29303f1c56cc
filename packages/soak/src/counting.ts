import { Agent } from 'node:http'
import type { Answer, Ask } from './exchange.ts'
import type { CampaignOptions } from './kills.ts'

/** A campaign that runs on either engine, in an empty database. */
export interface CountingOptions extends CampaignOptions {
  readonly engine: string
  readonly url: string
}

const clients = 16

/** Milliseconds between two lines of a report. */
const reportEvery = 10_000

/** Lets the clients, each with a connection of its own, share so many rounds; answers how many were done. A surprise ends them all. */
export async function shareRounds(
  { rounds, report }: CountingOptions,
  faults: string[],
  round: (agent: Agent) => Promise<void>,
): Promise<number> {
  let begun = 0
  let done = 0
  const timer = setInterval(() => report?.(`${done} of ${rounds} rounds`), reportEvery)
  const client = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    try {
      while (begun < rounds && faults.length === 0) {
        begun++
        await round(agent)
        done++
      }
    } catch (error) {
      faults.push(error instanceof Error ? error.message : String(error))
    } finally {
      agent.destroy()
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  clearInterval(timer)
  return done
}

/** One way to get an answer: once, or again and again until it comes whole. */
export type Asker = (ask: Ask) => Promise<Answer>

/** Reads the counter and writes one more, anew as long as others are quicker. Answers the value that was acknowledged. */
export async function increment(
  ask: Asker,
  counter: string,
  counts: { stale: number },
  headers: () => Record<string, string>,
): Promise<number> {
  for (;;) {
    const read = await ask({ method: 'GET', url: counter })
    const value = (read.body as { value: number }).value + 1
    const ifMatch = { 'if-match': String(read.headers['etag']) }
    const written = await ask({ method: 'PUT', url: counter, headers: { ...ifMatch, ...headers() }, body: { value } })
    if (written.status === 412) {
      counts.stale++
      continue
    }
    const acknowledged = (written.body as { value: number }).value
    if (written.status !== 200 || acknowledged !== value) throw unexpected(written, `to write ${value}`)
    return acknowledged
  }
}

/** An answer that nothing explains. */
export function unexpected(answer: Answer, what: string): Error {
  return new Error(`the request ${what} was answered ${answer.status}: ${JSON.stringify(answer.body)}`)
}

/** Makes the counter that all increment; answers its URL. */
export async function makeCounter(server: string): Promise<string> {
  const headers = { 'content-type': 'application/json', 'x-user': 'campaign' }
  const answer = await fetch(`${server}/counters`, { method: 'POST', headers, body: JSON.stringify({ name: 'shared' }) })
  if (answer.status !== 201) throw new Error(`the counter was answered ${answer.status}`)
  return String(answer.headers.get('location'))
}
