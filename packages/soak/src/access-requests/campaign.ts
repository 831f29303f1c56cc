import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tempFolder } from '@strongroom/testkit'
import type { CountingOptions } from '../counting.ts'
import type { Evidence } from '../evidence.ts'
import { seconds } from '../kills.ts'
import { unevenFaults } from '../requests/campaign.ts'
import { startTarget } from '../requests/target.ts'
import { secretIn } from './marks.ts'
import { type AccessRun, throwAccessRequests } from './run.ts'

/** Rounds from which on every operation has to have been answered 50 times each way. A shorter run asks for its share of that. */
const fullRounds = 20_000
const fullAnswers = 50

/** How often an operation has to be answered each way. */
export interface AccessRequestsOptions extends CountingOptions {
  readonly atLeast?: number
}

/**
 * Random good, broken and forbidden requests of callers of all kinds (tenants, roles, keys, expired, forged and revoked tokens, nobody):
 * no 5xx, no byte of another tenant and no secret in an answer, nobody let in who is not known, and each operation answered both ways.
 */
export async function accessRequestsCampaign(options: AccessRequestsOptions): Promise<Evidence> {
  const { engine, url, rounds, seed, report = () => undefined } = options
  const started = performance.now()
  const folder = await tempFolder('access-requests')
  const script = fileURLToPath(new URL('./server.ts', import.meta.url))
  const target = await startTarget(url, script, join(folder.path, 'server.log'))
  try {
    const atLeast = options.atLeast ?? Math.min(fullAnswers, Math.floor((fullAnswers * rounds) / fullRounds))
    const run = await throwAccessRequests(target, { rounds, seed, atLeast, report })
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
      counts: countsOf(run),
      faults,
      duration: seconds(started),
      details: detailsOf(run),
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

function countsOf({ tally, counts }: AccessRun): Record<string, number> {
  const sum = (numberOf: (count: { good: number; refused: number; other: number }) => number): number =>
    [...tally.operations.values()].reduce((total, count) => total + numberOf(count), 0)
  return {
    answered2xx: sum(({ good }) => good),
    answered4xx: sum(({ refused }) => refused),
    answeredOtherwise: sum(({ other }) => other),
    reachedForAnotherTenant: counts.crossTenant,
    strangersRefused: counts.strangersRefused,
    bytesSearched: counts.bytesSearched,
    faultsInAll: tally.faultCount,
  }
}

/** How to read the numbers. */
const notes = [
  'Every byte of every answer, headers and unpacked archives included, is searched for the marks of other tenants (in texts, as base64 and hexadecimal, in years and numbers), for ids of their records, and for secrets; what a request said itself may be said back to it. Operators work for all tenants: their answers are searched for secrets, but for backups.',
  'Reaching for another tenant means that the id in the path, or a filter, is of one.',
  'Strangers are those with no, an expired, forged, revoked or ended credential. Those whom a guarded operation answered 2xx are faults; 401 is counted, other refusals say what is wrong with the request itself.',
  'The log of the server is searched for secrets, and for all tokens and keys that were handed out.',
  'DELETE /db/jobs/{id} is asked for refusals only: imports are over at once here.',
]

function detailsOf({ tally, callers }: AccessRun): Record<string, unknown> {
  return {
    notes,
    operations: Object.fromEntries(
      [...tally.operations].map(([name, { good, refused, other }]) => [name, { '2xx': good, '4xx': refused, other }]),
    ),
    callers: Object.fromEntries(callers),
    slowest: { ...tally.slowest, unit: 'ms' },
    goodButRefused: Object.fromEntries(tally.refusedGood),
    breakages: Object.fromEntries([...tally.kinds].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}
