import { Client } from '../requests/client.ts'
import { Dice } from '../requests/dice.ts'
import { ApiDocument } from '../requests/document.ts'
import type { Tally } from '../requests/tally.ts'
import type { Target } from '../requests/target.ts'
import { type ThrowOptions, throwAll } from '../requests/throw-all.ts'
import { Callers } from './callers.ts'
import { sow } from './sow.ts'
import { AccessThrower } from './thrower.ts'

export interface AccessRun {
  readonly tally: Tally
  readonly done: number
  /** Answers to each caller, by status. */
  readonly callers: ReadonlyMap<string, Record<string, number>>
  readonly counts: { readonly reachedForAnotherTenant: number; readonly strangersRefused: number; readonly bytesSearched: number }
  /** Tokens and keys that were handed out. */
  readonly handedOut: readonly string[]
}

/** Throws random requests of callers of all kinds at a server, and searches every answer for what is not theirs. */
export async function throwAccessRequests(target: Target, options: ThrowOptions): Promise<AccessRun> {
  const client = new Client(target.url)
  try {
    const callers = new Callers(target.url)
    await callers.prepare()
    const document = new ApiDocument((await (await fetch(`${target.url}/openapi.json`)).json()) as object)
    const thrower = new AccessThrower(document, client, callers, new Dice(options.seed), options.atLeast)
    const { search } = thrower
    await sow(target.url, callers, search.marks)
    const done = await throwAll(thrower, options, { afterWave: () => thrower.settle() })
    const { strangersRefused, bytesSearched } = search
    const counts = { reachedForAnotherTenant: thrower.reaches, strangersRefused, bytesSearched }
    return { tally: thrower.tally, done, callers: search.byCaller, counts, handedOut: callers.handedOut }
  } finally {
    client.close()
  }
}
