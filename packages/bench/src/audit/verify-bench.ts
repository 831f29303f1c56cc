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
  const measure = async (engine: string, url: string): Promise<readonly Judged[]> => {
    const judged = await measureVerification(engine, url, options)
    for (const { line } of judged) options.report(line)
    return judged
  }
  const sqlite = await measure('SQLite', `sqlite:${join(folder, 'verify.db')}`)
  return [...sqlite, ...(await onPostgres('verify', (url) => measure('PostgreSQL', url)))]
}

/** Fills a log in a process of its own, and verifies it there. */
export async function measureVerification(
  engine: string,
  url: string,
  { rounds, entries }: Pick<VerifyOptions, 'rounds' | 'entries'>,
): Promise<readonly Judged[]> {
  const side = fileURLToPath(new URL('./verify-side.ts', import.meta.url))
  // By the built package, as users have it: each verification starts a thread, which would have to translate the sources first.
  const child = fork(side, [url, String(entries), String(rounds)], { execArgv: [] })
  const [rates] = (await Promise.race([once(child, 'message'), failed(child)])) as [VerifyRates]
  const goal = { goal: 100_000, goalIs: 'least' } as const
  return [
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
}

async function failed(child: ReturnType<typeof fork>): Promise<never> {
  const [code] = await once(child, 'exit')
  throw new Error(`The verification ended with ${code}.`)
}
