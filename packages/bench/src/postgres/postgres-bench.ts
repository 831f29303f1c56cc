import { defineModel, ModelAccessor, openStorage } from '@strongroom/core'
import { Type } from 'typebox'
import { onPostgres } from '../on-postgres.ts'
import { type Pairing, type PairingSummary, summarise } from '../statistics.ts'
import { HandWriter, type Person } from './hand-writer.ts'

const User = defineModel(
  'users',
  { name: Type.String({ maxLength: 200 }), email: Type.String({ maxLength: 200 }), age: Type.Integer() },
  { unique: [['email']] },
)

/** Writers at once, each with a connection, on both sides. */
const writers = 16

export interface PostgresBenchOptions {
  readonly rounds: number
  /** Of one side of a round. */
  readonly seconds: number
  readonly report: (line: string) => void
}

/** Single writes with their entries, and bulk inserts, on a real PostgreSQL: ours beside the same statements written by hand. */
export async function postgresBench({ rounds, seconds, report }: PostgresBenchOptions): Promise<{ readonly results: PairingSummary[] }> {
  const pairings = await onPostgres('ours', (ourUrl) =>
    onPostgres('hand', async (handUrl) => {
      // Theirs has the same tables, and nobody seals its entries.
      await (await openStorage({ url: handUrl, accessors: [new ModelAccessor(User, 'users')] })).close()
      const hand = new HandWriter(handUrl, writers)
      const users = new ModelAccessor(User, 'users')
      const storage = await openStorage({ url: ourUrl, accessors: [users], postgres: { poolSize: writers } })
      try {
        return await measure({ users, hand, rounds, seconds, report, settle: () => storage.audit.waitUntilSealed() })
      } finally {
        await storage.close()
        await hand.close()
      }
    }),
  )
  return { results: pairings.map(summarise) }
}

interface Sides extends PostgresBenchOptions {
  readonly users: ModelAccessor<typeof User>
  readonly hand: HandWriter
  /** What one side has left to be done is not to burden the other. */
  readonly settle: () => Promise<unknown>
}

interface Case {
  readonly what: string
  readonly ours: (number: number) => Promise<unknown>
  readonly theirs: (number: number) => Promise<unknown>
}

async function measure({ users, hand, rounds, seconds, report, settle }: Sides): Promise<Pairing[]> {
  const actor = { actor: 'bench' }
  const ids = { ours: [] as number[], theirs: [] as number[] }
  const pick = (from: number[], number: number): number => from[number % from.length] ?? 0
  const cases: Case[] = [
    {
      what: 'insert with its entry',
      ours: async (number) => ids.ours.push((await users.insert(person(number), actor)).id),
      theirs: async (number) => ids.theirs.push(await hand.insert(person(number))),
    },
    {
      what: 'update with its entry',
      ours: (number) => users.update(pick(ids.ours, number), { age: number % 1_000_000 }, actor),
      theirs: (number) => hand.update(pick(ids.theirs, number), number % 1_000_000),
    },
    {
      what: 'delete with its entry',
      ours: (number) => users.delete(ids.ours.pop() ?? number, actor),
      theirs: (number) => hand.delete(ids.theirs.pop() ?? number),
    },
  ]
  const pairings: Pairing[] = []
  let number = 0
  for (const { what, ours, theirs } of cases) {
    const found: [number, number][] = []
    // Deletes must not run out of records.
    const length = what.startsWith('delete') ? seconds / 3 : seconds
    for (let round = -1; round < rounds; round++) {
      const rate = async (write: Case['ours']): Promise<number> => {
        await settle()
        return await perSecond(length, () => write(number++))
      }
      // Whoever comes first in a round comes second in the next one.
      const [first, second] = round % 2 === 0 ? [ours, theirs] : [theirs, ours]
      const [one, other] = [await rate(first), await rate(second)]
      // The first round warms both up.
      if (round >= 0) found.push(round % 2 === 0 ? [one, other] : [other, one])
    }
    pairings.push({ what: `${what}, ${writers} at once`, unit: 'operations/s', rounds: found })
    report(`${what}: ${found.map(([one, other]) => `${Math.round(one)} beside ${Math.round(other)}`).join(', ')}`)
  }
  return pairings
}

async function perSecond(seconds: number, write: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  const end = start + seconds * 1_000
  let count = 0
  await Promise.all(
    Array.from({ length: writers }, async () => {
      while (performance.now() < end) {
        await write()
        count++
      }
    }),
  )
  return (count / (performance.now() - start)) * 1_000
}

function person(number: number): Person {
  return { name: `Person ${number}`, email: `person${number}@example.com`, age: number % 90 }
}
