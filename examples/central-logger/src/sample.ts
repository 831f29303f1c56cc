import type { InsertOf, Storage } from '@strongroom/core'
import { type Log, logs, users } from './models.ts'

/** The password of all people of the sample. It is in the README, so that a server with sample data is for your own machine. */
export const samplePassword = 'a lantern on the pier'

const workflows = [
  { workflow: 'refund', category: 'billing', steps: ['read the order', 'ask the bank', 'write the receipt'] },
  { workflow: 'address-change', category: 'accounts', steps: ['check the address', 'tell the carrier'] },
  { workflow: 'nightly-invoices', category: 'billing', steps: ['read the orders', 'make the documents', 'send them'] },
] as const

/** Fills an empty database in one transaction: two clients with a service each, and what their workflows did; one that has users stays as it is. */
export async function loadSample(storage: Pick<Storage, 'transaction'>): Promise<void> {
  if (await users.exists({}, { includeDeleted: true })) return
  await storage.transaction(
    async () => {
      const people = [
        { email: 'olga@logs.example', name: 'Olga Brandt', roles: ['admin'], tenant: '*' },
        { email: 'service@acme.example', name: 'Acme’s services', roles: ['shipper'], tenant: 'acme' },
        { email: 'service@globex.example', name: 'Globex’s services', roles: ['shipper'], tenant: 'globex' },
      ]
      await users.insertMany(people.map((person) => ({ ...person, password: samplePassword })))
      for (const tenant of ['acme', 'globex']) await logs.insertMany(runsOf(tenant), { tenant })
    },
    { actor: 'sample' },
  )
}

/** Sixty runs within twenty hours; every seventh one failed. */
function runsOf(client: string): InsertOf<typeof Log>[] {
  const begin = Date.parse('2026-11-29T12:00:00Z')
  return Array.from({ length: client === 'acme' ? 60 : 25 }, (_, index) => {
    const { workflow, category, steps } = workflows[index % workflows.length] ?? workflows[0]
    const failed = index % 7 === 6
    const step = 40 + (index % 5) * 17
    const trace = steps.slice(0, failed ? 2 : undefined).map((name, at) => ({ name, at_ms: at * step }))
    return {
      ticket_id: `${client.toUpperCase()}-${1000 + Math.floor(index / 2)}`,
      workflow,
      category,
      status: failed ? 'failure' : 'success',
      executed_at: new Date(begin + index * 20 * 60_000),
      duration_ms: step * steps.length,
      metrics: { documents: 1 + (index % 4) },
      payload: failed ? { error: 'the bank does not answer' } : { note: `run ${index + 1}` },
      trace: failed ? [...trace, { name: 'error', at_ms: step * 2, detail: { message: 'the bank does not answer' } }] : trace,
    }
  })
}
