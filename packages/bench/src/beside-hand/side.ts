import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../child-message.ts'
import type { LoadOrder, LoadReport, Operation } from './load-process.ts'
import type { WireName } from './wires.ts'

/** What a run of requests cost a server, and how fast it was. */
export interface Measured {
  readonly perSecond: number
  /** Processor time of the server's process for a request. */
  readonly microseconds: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

/** One of the servers that are compared, in a process of its own. */
export interface Side {
  readonly name: string
  readonly url: string
  readonly wire: WireName
  /** Puts requests to it for about so many seconds. One that fails ends the bench: a fast wrong answer does not count. */
  load(operation: Operation, options: { readonly connections: number; readonly seconds: number }): Promise<Measured>
  stop(): Promise<void>
}

/** Requests that tell how fast a server is about to be. */
const firstAmount = 400

/** The most that a run has: what a second run deletes must still be there. */
const mostRequests = 40_000

/** Puts several servers under load, in turn, from one process. */
export class LoadGenerator {
  readonly #process = fork(script('./load-process.ts'), { execArgv: [] })

  async run(order: LoadOrder): Promise<LoadReport> {
    this.#process.send(order)
    const report = (await messageOf(this.#process)) as LoadReport
    if (report.failed === 0 && report.good >= order.amount) return report
    throw new Error(
      `${report.failed} of ${order.amount} ${order.operation} requests to ${order.url} failed; a fast wrong answer does not count`,
    )
  }

  stop(): void {
    this.#process.disconnect()
  }
}

export interface SideOptions {
  readonly name: string
  /** The server's program, from this folder or as a URL, and what it is told. */
  readonly program: string
  readonly args: readonly string[]
  readonly node?: readonly string[]
  /** How it is asked; as Strongroom is unless said. */
  readonly wire?: WireName
  readonly env?: Readonly<Record<string, string>>
}

/** Starts a server with the built packages, as users have them. */
export async function startSide(
  generator: LoadGenerator,
  { name, program, args, node = [], wire = 'rest', env = {} }: SideOptions,
): Promise<Side> {
  const child = fork(script(program), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [...node],
    env: { ...process.env, NODE_ENV: 'test', NODE_OPTIONS: '', ...env },
  })
  const { url } = (await messageOf(child)) as { readonly url: string }
  const usedSoFar = async (): Promise<number> => {
    child.send('usage')
    const { microseconds } = (await messageOf(child)) as { readonly microseconds: number }
    return microseconds
  }
  // Where each operation goes on: what was deleted is gone, and an address of a new record is taken.
  const next: Record<Operation, number> = { get: 0, list: 0, pages: 0, post: 1_000_000, put: 0, delete: 6_000 }
  const rates = new Map<string, number>()
  const load: Side['load'] = async (operation, { connections, seconds }) => {
    const key = `${operation} ${connections}`
    const amount = Math.max(firstAmount, Math.min(mostRequests, Math.round((rates.get(key) ?? 0) * seconds)))
    const order = { url, operation, connections, amount, start: next[operation], wire }
    next[operation] += amount + connections
    const before = await usedSoFar()
    const { good, seconds: took, p50, p99 } = await generator.run(order)
    const microseconds = ((await usedSoFar()) - before) / good
    rates.set(key, good / took)
    return { perSecond: good / took, microseconds, p50, p99 }
  }
  return {
    name,
    url,
    wire,
    load,
    stop: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

function script(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}
