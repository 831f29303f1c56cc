import { Agent } from 'node:http'
import { exchange } from '../exchange.ts'

/** What readers have seen. */
export class ReadLog {
  reads = 0
  /** Milliseconds of the read that took longest. */
  slowest = 0
  readonly faults: string[] = []
}

/** Milliseconds between two reads: the machine is there for others, too. */
const pauseBetween = 5

/** Reads a record and a list again and again: all answers have to be 200. */
export async function readOn(url: string, log: ReadLog, stopped: () => boolean): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    while (!stopped()) {
      for (const path of ['/things/1', '/notes?limit=5']) {
        const started = performance.now()
        const answer = await exchange(agent, { method: 'GET', url: `${url}${path}` })
        log.reads++
        log.slowest = Math.max(log.slowest, Math.round(performance.now() - started))
        if (answer?.status !== 200) log.faults.push(`GET ${path} was answered ${answer?.status}: ${JSON.stringify(answer?.body)}`)
      }
      await new Promise((resolve) => setTimeout(resolve, pauseBetween))
    }
  } finally {
    agent.destroy()
  }
}
