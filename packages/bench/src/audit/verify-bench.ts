import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onPostgres } from '../on-postgres.ts'
import { type Judged, judge } from './judge.ts'

export interface VerifyOptions {
  readonly rounds: number
  readonly entries: number
  readonly report: (line: string) => void
}

/** Entries in a second, of each round. */
export type VerifyRates = readonly { readonly perSecond: number; readonly perProcessorSecond: number }[]

/** How many entries a verification goes through in a second. */
export async function verifyBench(folder: string, options: VerifyOptions): Promise<readonly Judged[]> {
  const sqlite = await measure('SQLite', `sqlite:${join(folder, 'verify.db')}`, options)
  return [...sqlite, ...(await onPostgres('verify', (url) => measure('PostgreSQL', url, options)))]
}

async function measure(engine: string, url: string, { rounds, entries, report }: VerifyOptions): Promise<readonly Judged[]> {
  const side = fileURLToPath(new URL('./verify-side.ts', import.meta.url))
  // By the built package, as users have it: each verification starts a thread, which would have to translate the sources first.
  const child = fork(side, [url, String(entries), String(rounds)], { execArgv: [] })
  const [rates] = (await Promise.race([once(child, 'message'), failed(child)])) as [VerifyRates]
  const goal = { goal: 100_000, goalIs: 'least' } as const
  const judged = [
    judge({
      what: `entries that a verification goes through in a second on ${engine}, its start included`,
      ...goal,
      values: rates.map(({ perSecond }) => perSecond),
    }),
    judge({
      what: `the same in a second of this program's processor time, ${engine}`,
      ...goal,
      values: rates.map(({ perProcessorSecond }) => perProcessorSecond),
    }),
  ]
  for (const { line } of judged) report(line)
  return judged
}

async function failed(child: ReturnType<typeof fork>): Promise<never> {
  const [code] = await once(child, 'exit')
  throw new Error(`The verification ended with ${code}.`)
}
