import type { ModelAccessor } from '@strongroom/core'
import pg from 'pg'
import { withoutNow } from '../beside-hand/same-answers.ts'
import type { User } from '../strongroom-users.ts'
import type { HandPostgresStore } from './hand-store.ts'

/** Ends the bench where both sides come to other records, as JSON: a fast wrong answer cannot win. */
export async function requireSameResults(users: ModelAccessor<typeof User>, hand: HandPostgresStore): Promise<void> {
  const person = { name: 'Zoë "Z" O’Hara', email: 'zoe@example.com', age: 41 }
  const actor = { actor: 'bench' }
  const pairs: readonly (readonly [string, () => Promise<unknown>, () => Promise<unknown>])[] = [
    ['get', () => users.get(17), () => hand.get(17)],
    ['list', () => users.find({ limit: 100, offset: 200 }), () => hand.list(100, 200)],
    ['insert', () => users.insert(person, actor), () => hand.insert(person, 'bench')],
    ['update', () => users.update(17, { age: 149 }, actor), () => hand.update(17, { age: 149 }, 'bench')],
    ['get', () => users.get(17), () => hand.get(17)],
    ['delete', () => users.deleteReturning(15_000, actor), () => hand.delete(15_000, 'bench')],
    ['get', async () => (await users.get(15_000)) ?? 'none', async () => (await hand.get(15_000)) ?? 'none'],
  ]
  for (const [what, ours, theirs] of pairs) requireSame(what, JSON.stringify(await ours()), JSON.stringify(await theirs()))
}

/** The same for what the last three writes have left in the log. */
export async function requireSameEntries(ours: string, theirs: string): Promise<void> {
  requireSame('the log', await lastEntries(ours), await lastEntries(theirs))
}

async function lastEntries(url: string): Promise<string> {
  const client = new pg.Client(url)
  await client.connect()
  const columns = 'component, record_id, operation, actor, before, after, length(payload_hash) AS hash, length(salt) AS salt'
  const { rows } = await client.query(`SELECT ${columns} FROM strongroom_audit_log ORDER BY id DESC LIMIT 3`)
  await client.end()
  return JSON.stringify(rows)
}

function requireSame(what: string, ours: string, theirs: string): void {
  if (withoutNow(ours) === withoutNow(theirs)) return
  throw new Error(`${what} comes to something else.\nstrongroom: ${ours.slice(0, 600)}\nhand: ${theirs.slice(0, 600)}`)
}
