import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openStorage } from '@strongroom/core'
import { freePort, type RunningScript, runScript, tempFolder } from '@strongroom/testkit'
import type { CountingOptions } from '../counting.ts'
import type { Evidence } from '../evidence.ts'
import { seconds } from '../kills.ts'
import { seededRandom } from '../random.ts'
import { measureShipping } from './measure.ts'

const main = fileURLToPath(new URL('../../../../examples/central-logger/src/main.ts', import.meta.url))
const program = fileURLToPath(new URL('./program.ts', import.meta.url))
const tenants = ['acme', 'globex'] as const
/** Of the example's sample. */
const password = 'a lantern on the pier'
/** Milliseconds between two kills of shippers, at least and at most. */
const killAfter = { least: 400, most: 1500 }

/** A shipper's part of the logs, and what it wrote down of them. */
interface Part {
  readonly tenant: (typeof tenants)[number]
  readonly from: number
  readonly to: number
  readonly folder: string
  readonly ledger: string
  readonly key: string
  process: RunningScript | undefined
}

export interface ShippersOptions extends CountingOptions {
  /** Milliseconds that the shipping takes at least: the kills are within them. A minute unless said. */
  readonly spread?: number
  /** Whether the time that `ship` takes is measured, which needs a machine that does nothing else; true unless said. */
  readonly measured?: boolean
  /** How many programs ship; 8 unless said. */
  readonly shippers?: number
  /** How often the server is killed; 5 times unless said. */
  readonly serverKills?: number
}

/**
 * Shippers ship so many logs to the central logger, while the server and they are killed again and again: each log that was taken is stored
 * exactly once, under its tenant. A round is a log.
 */
export async function shippersCampaign(options: ShippersOptions): Promise<Evidence> {
  const { engine, url: databaseUrl, seed, rounds, report, spread = 60_000, measured = true, shippers = 8, serverKills = 5 } = options
  const started = performance.now()
  const random = seededRandom(seed)
  const faults: string[] = []
  const counts = { serverKills: 0, shipperKills: 0, taken: 0, uncertain: 0 }
  const folder = await tempFolder('shippers')
  const port = String(await freePort())
  const url = `http://127.0.0.1:${port}`
  let server = await start(databaseUrl, port)
  let shipTimes: Awaited<ReturnType<typeof measureShipping>> | undefined
  try {
    const keys = await Promise.all(tenants.map((tenant) => issueKey(url, tenant)))
    const parts = Array.from({ length: shippers }, (_none, index): Part => {
      const share = (at: number) => Math.round((rounds * at) / shippers)
      const own = { folder: join(folder.path, `spool-${index}`), ledger: join(folder.path, `ledger-${index}`), process: undefined }
      return { tenant: tenants[index % 2 === 0 ? 0 : 1], from: share(index), to: share(index + 1), key: keys[index % 2] ?? '', ...own }
    })
    const pace = Math.round((spread * 10 * shippers) / rounds)
    for (const part of parts) run(part, url, pace)
    for (let round = 0; !parts.every(isDone) || counts.serverKills < serverKills; round++) {
      await pause(killAfter.least + random() * (killAfter.most - killAfter.least))
      const alive = parts.filter((part) => !isDone(part))
      const victim = alive[Math.floor(random() * alive.length)]
      if (victim) {
        // one that has ended by itself is begun again, too: what it left on disk has to arrive
        const { signal } = (await victim.process?.kill()) ?? {}
        if (signal === 'SIGKILL') counts.shipperKills++
        run(victim, url, pace)
      }
      if (counts.serverKills < serverKills && begunIn(parts) >= (rounds * (counts.serverKills + 1)) / (serverKills + 1)) {
        await server.kill()
        counts.serverKills++
        await pause(random() * 1000)
        server = await start(databaseUrl, port)
      }
      if (round % 20 === 19)
        report?.(`${begunIn(parts)} of ${rounds} logs, ${counts.shipperKills} kills of shippers, ${counts.serverKills} of the server`)
    }
    await Promise.all(parts.map((part) => part.process?.ended))
    if (measured) shipTimes = await measureShipping(`${url}/api/v1/logs`, keys[0] ?? '')
    for (const [state, { p99 }] of Object.entries(shipTimes ?? {}))
      if (p99 >= 1) faults.push(`ship() took ${p99} ms (p99) with the server ${state}`)
    await server.kill('SIGTERM')
    const stored = await storedLogs(databaseUrl)
    for (const part of parts) judge(part, stored, counts, faults)
    for (const id of stored.keys())
      if (Number(id.slice(id.indexOf(' ') + 1)) >= rounds) faults.push(`${id} is stored and was never shipped`)
  } finally {
    await server.kill()
    await folder.remove()
  }
  if (counts.serverKills < serverKills) faults.push(`the server was killed ${counts.serverKills} times, not ${serverKills}`)
  const details = { shippers, shipTimes }
  const roundsDone = counts.taken + counts.uncertain
  return {
    campaign: 'shippers',
    engine,
    seed,
    roundsAsked: rounds,
    roundsDone,
    counts,
    neverZero: ['shipperKills', 'serverKills'],
    faults,
    duration: seconds(started),
    details,
  }
}

async function start(databaseUrl: string, port: string): Promise<RunningScript> {
  const env = {
    DATABASE_URL: databaseUrl,
    PORT: port,
    HOST: undefined,
    NODE_ENV: undefined,
    NODE_OPTIONS: '',
    LOG_LEVEL: 'error',
    RATE_LIMIT_REQUESTS: '1000000',
  }
  const server = runScript(main, { args: ['--sample'], env })
  await server.line(/^Logs are taken/)
  return server
}

async function issueKey(url: string, tenant: string): Promise<string> {
  const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
    return (await answer.json()) as Record<string, string>
  }
  const { access_token } = await post('/auth/token', { email: `service@${tenant}.example`, password })
  const { key } = await post('/auth/api-keys', { name: 'campaign' }, { authorization: `Bearer ${access_token}` })
  if (!key) throw new Error('no key was issued')
  return key
}

/** Starts a shipper where the one before it stopped: what it had begun and not finished is uncertain, and not begun again. */
function run(part: Part, url: string, pace: number): void {
  const from = Math.max(part.from, lastBegun(part) + 1)
  const args = [`${url}/api/v1/logs`, part.key, part.folder, part.ledger, String(from), String(part.to), String(pace)]
  part.process = runScript(program, { args, env: { NODE_OPTIONS: '' } })
}

const linesOf = ({ ledger }: Part): string[] => (existsSync(ledger) ? readFileSync(ledger, 'utf8').split('\n').slice(0, -1) : [])
const numbersIn = (part: Part, word: string): number[] =>
  linesOf(part).flatMap((line) => (line.startsWith(`${word} `) ? Number(line.slice(word.length + 1)) : []))
const lastBegun = (part: Part): number => numbersIn(part, 'begun').at(-1) ?? -1
const begunIn = (parts: readonly Part[]): number => parts.reduce((sum, part) => sum + Math.max(0, lastBegun(part) + 1 - part.from), 0)
const isDone = (part: Part): boolean => linesOf(part).at(-1) === 'arrived'

/** How often each log is stored, by its tenant and number. */
async function storedLogs(url: string): Promise<Map<string, number>> {
  const storage = await openStorage({ url, accessors: [] })
  try {
    const rows = (await storage.kysely
      .selectFrom('logs' as never)
      .select(['client_id', 'ticket_id'] as never)
      .where('workflow' as never, '=', 'campaign' as never)
      .execute()) as { client_id: string; ticket_id: string }[]
    const found = new Map<string, number>()
    for (const { client_id, ticket_id } of rows) found.set(`${client_id} ${ticket_id}`, (found.get(`${client_id} ${ticket_id}`) ?? 0) + 1)
    return found
  } finally {
    await storage.close()
  }
}

function judge(part: Part, stored: ReadonlyMap<string, number>, counts: { taken: number; uncertain: number }, faults: string[]): void {
  const taken = new Set(numbersIn(part, 'taken'))
  const other = part.tenant === 'acme' ? 'globex' : 'acme'
  for (const run of numbersIn(part, 'begun')) {
    const times = stored.get(`${part.tenant} ${run}`) ?? 0
    if (taken.has(run)) counts.taken++
    else counts.uncertain++
    if (taken.has(run) ? times !== 1 : times > 1) faults.push(`log ${run} of ${part.tenant} is stored ${times} times`)
    if (stored.has(`${other} ${run}`)) faults.push(`log ${run} of ${part.tenant} is stored under ${other}`)
  }
}
