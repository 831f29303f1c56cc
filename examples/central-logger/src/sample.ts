import { readFile } from 'node:fs/promises'
import type { InsertOf, Storage } from '@strongroom/core'
import { type Log, logs, users } from './models.ts'

/** The password of all people of the sample. It is in the README, so that a server with sample data is for your own machine. */
export const samplePassword = 'a lantern on the pier'

const [minute, hour] = [60_000, 3_600_000]
const begin = Date.parse('2026-11-27T06:00:00Z')
/** When the bank did not answer. */
const outage = { from: Date.parse('2026-11-28T13:00:00Z'), until: Date.parse('2026-11-28T15:30:00Z') }

interface Plan extends Pick<InsertOf<typeof Log>, 'workflow' | 'category'> {
  readonly failures: number
  readonly error: string
  readonly weight: number
  readonly metrics: Readonly<Record<string, readonly [least: number, most: number]>>
  readonly steps: readonly (readonly [name: string, milliseconds: number])[]
}

/** Fills an empty database in one transaction: two clients with a service each, and what their workflows did; one that has users stays as it is. */
export async function loadSample(storage: Pick<Storage, 'transaction'>): Promise<void> {
  if (await users.exists({}, { includeDeleted: true })) return
  const plans = JSON.parse(await readFile(new URL('../data/workflows.json', import.meta.url), 'utf8')) as readonly Plan[]
  await storage.transaction(
    async () => {
      const people = [
        { email: 'olga@logs.example', name: 'Olga Brandt', roles: ['admin'], tenant: '*' },
        { email: 'service@acme.example', name: 'Acme’s services', roles: ['shipper'], tenant: 'acme' },
        { email: 'service@globex.example', name: 'Globex’s services', roles: ['shipper'], tenant: 'globex' },
      ]
      await users.insertMany(people.map((person) => ({ ...person, password: samplePassword })))
      await logs.insertMany(runsOf('acme', 320, plans), { tenant: 'acme' })
      await logs.insertMany(runsOf('globex', 60, plans), { tenant: 'globex' })
    },
    { actor: 'sample' },
  )
}

/** So many tickets within sixty hours, fewer at night; what failed ran once more for the same ticket. The same every time. */
function runsOf(client: string, tickets: number, plans: readonly Plan[]): InsertOf<typeof Log>[] {
  const random = randomFrom(client.length * 7919)
  const lots = plans.flatMap((plan) => Array.from({ length: plan.weight }, () => plan))
  return Array.from({ length: tickets }).flatMap((_, ticket) => {
    let at = begin + random() * 60 * hour
    if (new Date(at).getUTCHours() < 6) at += random() * 12 * hour
    const plan = lots[Math.floor(random() * lots.length)] ?? lots[0]
    if (!plan) return []
    const isOut = plan.workflow === 'refund' && at > outage.from && at < outage.until
    const failed = random() < (isOut ? 0.9 : plan.failures)
    const ticket_id = `${client.toUpperCase()}-${1000 + ticket}`
    const first = { ticket_id, ...runOf(plan, at, failed, random) }
    return failed ? [first, { ticket_id, ...runOf(plan, at + (isOut ? 3 * hour : 9 * minute), false, random) }] : [first]
  })
}

function runOf({ workflow, category, error, metrics, steps }: Plan, at: number, failed: boolean, random: () => number) {
  const slow = random() < 0.04 ? 5 : 1
  let now = 0
  const trace = steps.slice(0, failed ? 2 : undefined).map(([name, length]) => {
    const step = { name, at_ms: Math.round(now) }
    now += length * slow * (0.6 + random())
    return step
  })
  return {
    workflow,
    category,
    status: failed ? ('failure' as const) : ('success' as const),
    executed_at: new Date(Math.floor(at)),
    duration_ms: Math.round(now * 10) / 10,
    metrics: Object.fromEntries(
      Object.entries(metrics).map(([name, [least, most]]) => [name, least + Math.floor(random() * (most - least + 1))]),
    ),
    payload: { order: 4000 + Math.floor(random() * 5000), region: random() < 0.5 ? 'north' : 'coast' },
    trace: failed ? [...trace, { name: 'error', at_ms: Math.round(now), detail: { message: error } }] : trace,
  }
}

/** A generator that gives the same numbers for the same seed: that of Park and Miller. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}
