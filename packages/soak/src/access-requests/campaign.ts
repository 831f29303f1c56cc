import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tempFolder } from '@strongroom/testkit'
import type { Evidence } from '../evidence.ts'
import { seconds } from '../kills.ts'
import type { RequestsCampaignOptions } from '../requests/campaign.ts'
import { startTarget } from '../requests/target.ts'
import { answersOf, shareOf, tallyDetails, unevenFaults } from '../requests/verdict.ts'
import { secretIn } from './marks.ts'
import { throwAccessRequests } from './run.ts'

/**
 * Random good, broken and forbidden requests of callers of all kinds (tenants, roles, keys, expired, forged and revoked tokens, nobody):
 * no 5xx, no byte of another tenant and no secret in an answer, nobody let in who is not known, and each operation answered both ways.
 */
export async function accessRequestsCampaign(options: RequestsCampaignOptions): Promise<Evidence> {
  const { engine, url, rounds, seed, atMost, report = () => undefined } = options
  const started = performance.now()
  const folder = await tempFolder('access-requests')
  const script = fileURLToPath(new URL('./server.ts', import.meta.url))
  const target = await startTarget(url, script, join(folder.path, 'server.log'))
  try {
    const atLeast = options.atLeast ?? shareOf(rounds)
    const run = await throwAccessRequests(target, { rounds, seed, atLeast, atMost, report })
    await target.stop()
    const faults = [...run.tally.faults, ...unevenFaults(run.tally, atLeast), ...(await logFaults(folder.path, run.handedOut))]
    if (faults.length > 0)
      faults.push(
        ...target.log.filter((line) => line.includes('"level":"error"')).map((line) => `the server's log: ${line.slice(0, 2_000)}`),
      )
    return {
      campaign: 'access-requests',
      engine,
      seed,
      roundsAsked: rounds,
      roundsDone: run.done,
      counts: { ...answersOf(run.tally), ...run.counts },
      faults,
      duration: seconds(started),
      details: { notes, ...tallyDetails(run.tally), callers: Object.fromEntries(run.callers) },
    }
  } finally {
    await target.stop()
    await folder.remove()
  }
}

/** Secrets and tokens in what the server has logged. */
async function logFaults(folder: string, handedOut: readonly string[]): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.log'))
  const text = (await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))).join('')
  if (!text.includes('"request"')) return ['the log of the server has no requests']
  const told = handedOut.filter((token) => text.includes(token) || text.includes(token.slice(-43)))
  const secret = secretIn(text)
  return [...told.map((token) => `the log has the token ${token}`), ...(secret === undefined ? [] : [`the log has ${secret}`])]
}

/** How to read the numbers. */
const notes = [
  'Every byte of every answer, headers and unpacked archives included, is searched for the marks of other tenants (in texts, as base64 and hexadecimal, in years and numbers), for ids of their records, and for secrets; what a request said itself may be said back to it. Operators work for all tenants: their answers are searched for secrets, but for backups.',
  'Reaching for another tenant means that the id in the path, or a filter, is of one.',
  'Strangers are those with no, an expired, forged, revoked or ended credential. Those whom a guarded operation answered 2xx are faults; 401 is counted, other refusals say what is wrong with the request itself.',
  'The log of the server is searched for secrets, and for all tokens and keys that were handed out.',
  'DELETE /db/jobs/{id}, GET /db/audit/{id}/proof and POST /db/revert are asked for refusals only: imports are over at once here, and the generator knows no entry or unit of work.',
]
