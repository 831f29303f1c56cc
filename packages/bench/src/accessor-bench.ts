import { join } from 'node:path'
import { openStorage } from '@strongroom/core'
import { openHandStore } from './hand/hand-store.ts'
import type { Pairing } from './statistics.ts'
import { userAccessor } from './strongroom-users.ts'

/** Records that are there before anything is measured. */
const seeded = 10_000

const person = (index: number) => ({ name: `Person ${index}`, email: `person${index}@example.com`, age: index % 100 })

/** Operations in process: ours through the accessor, theirs through prepared statements. Answers operations per second. */
export async function accessorBench(folder: string, rounds: number): Promise<Pairing[]> {
  const hand = openHandStore(join(folder, 'hand-accessor.db'))
  const users = userAccessor()
  const storage = await openStorage({ url: `sqlite:${join(folder, 'strongroom-accessor.db')}`, accessors: [users] })
  const people = Array.from({ length: seeded }, (_, index) => person(index))
  hand.insertMany(people, 'bench')
  await users.insertMany(people, { actor: 'bench' })
  let fresh = seeded
  /** The records that each side deletes next. */
  const next = { ours: 5_000, theirs: 5_000 }
  const cases: Case[] = [
    {
      what: 'get',
      count: 5_000,
      ours: async (index) => void (await users.get((index % seeded) + 1)),
      theirs: (index) => void hand.get((index % seeded) + 1),
    },
    {
      what: 'list of 100',
      count: 300,
      ours: async () => void (await users.find({ limit: 100, offset: 200 })),
      theirs: () => void hand.list(100, 200),
    },
    {
      what: 'insert, one after the other',
      count: 500,
      ours: async () => void (await users.insert(person(fresh++), { actor: 'bench' })),
      theirs: () => void hand.insert(person(fresh++), 'bench'),
    },
    {
      what: 'insert, 64 at once',
      count: 2_048,
      together: 64,
      ours: async () => void (await users.insert(person(fresh++), { actor: 'bench' })),
      theirs: () => void hand.insert(person(fresh++), 'bench'),
    },
    {
      what: 'update, 64 at once',
      count: 2_048,
      together: 64,
      ours: async (index) => void (await users.update((index % seeded) + 1, { age: fresh++ % 150 }, { actor: 'bench' })),
      theirs: (index) => void hand.update((index % seeded) + 1, { age: fresh++ % 150 }, 'bench'),
    },
    {
      what: 'insertMany of 1,000',
      count: 10,
      ours: async () =>
        void (await users.insertMany(
          Array.from({ length: 1_000 }, () => person(fresh++)),
          { actor: 'bench' },
        )),
      theirs: () =>
        void hand.insertMany(
          Array.from({ length: 1_000 }, () => person(fresh++)),
          'bench',
        ),
    },
    // Last: the cases above walk through records that must be there.
    {
      what: 'delete, 64 at once',
      count: 512,
      together: 64,
      ours: async () => void (await users.delete(next.ours++, { actor: 'bench' })),
      theirs: () => void hand.delete(next.theirs++, 'bench'),
    },
  ]
  const pairings: Pairing[] = []
  for (const test of cases)
    pairings.push({ what: `accessor: ${test.what}`, unit: 'operations/s', rounds: await pairedRounds(test, rounds) })
  await storage.close()
  hand.close()
  return pairings
}

interface Case {
  readonly what: string
  readonly count: number
  /** How many of ours are under way at once. */
  readonly together?: number
  readonly ours: (index: number) => Promise<void>
  readonly theirs: (index: number) => void
}

async function pairedRounds(test: Case, rounds: number): Promise<[number, number][]> {
  const results: [number, number][] = []
  for (let round = -1; round < rounds; round++) {
    const ours = await timeOurs(test)
    const theirs = timeTheirs(test)
    // The first round warms both sides up.
    if (round >= 0) results.push([test.count / ours, test.count / theirs])
  }
  return results
}

async function timeOurs({ count, together = 1, ours }: Case): Promise<number> {
  const start = performance.now()
  for (let index = 0; index < count; index += together) {
    if (together === 1) await ours(index)
    else await Promise.all(Array.from({ length: together }, (_, member) => ours(index + member)))
  }
  return (performance.now() - start) / 1_000
}

function timeTheirs({ count, theirs }: Case): number {
  const start = performance.now()
  for (let index = 0; index < count; index++) theirs(index)
  return (performance.now() - start) / 1_000
}
