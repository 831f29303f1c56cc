import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../child-message.ts'
import type { OperationName } from './operations.ts'

/** What a server is asked for: a figure, or to begin again with a copy of another database. */
export type Order = { readonly deed: 'measure'; readonly operation: OperationName } | { readonly deed: 'renew'; readonly from: string }

/** Of one operation, in microseconds. */
export interface Cost {
  /** Processor time, of all threads. */
  readonly microseconds: number
  /** By the clock. */
  readonly wall: number
}

/** What a start has taken. */
export interface Ready {
  /** Processor time of the process until it could answer. */
  readonly microseconds: number
  /** Bytes. */
  readonly resident: number
}

/** A server on one database, in a process of its own. */
export interface GrowthSide {
  readonly ready: Ready
  measure(operation: OperationName): Promise<Cost>
  renew(from: string): Promise<void>
  stop(): Promise<void>
}

/** Starts it with the built packages, as users have them. */
export async function startGrowthSide(database: string, models: number): Promise<GrowthSide> {
  const program = fileURLToPath(new URL('./side.ts', import.meta.url))
  const env = { ...process.env, NODE_ENV: 'test', NODE_OPTIONS: '' }
  const child = fork(program, [database, String(models)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [], env })
  // That program sends these alone.
  const ready = (await messageOf(child)) as Ready
  const ask = (order: Order): Promise<unknown> => {
    child.send(order)
    return messageOf(child)
  }
  return {
    ready,
    measure: async (operation) => (await ask({ deed: 'measure', operation })) as Cost,
    renew: async (from) => void (await ask({ deed: 'renew', from })),
    stop: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}
