import { join } from 'node:path'
import { openStorage } from '@strongroom/core'
import { userAccessor } from '../strongroom-users.ts'
import { type Comparison, compare } from './compare.ts'
import { openHandStore } from './hand-store.ts'
import { inRounds, type RoundOptions } from './rounds.ts'
import { person } from './seed.ts'

export interface AccessorOptions extends RoundOptions {
  readonly report: (line: string) => void
}

/** Records that are there before anything is measured. */
const seeded = 50_000

/** In process: accessors beside prepared statements. Times are those of one operation. */
export async function accessorBench(folder: string, options: AccessorOptions): Promise<Comparison[]> {
  const hand = openHandStore(join(folder, 'hand-accessor.db'))
  const users = userAccessor()
  const storage = await openStorage({ url: `sqlite:${join(folder, 'strongroom-accessor.db')}`, accessors: [users] })
  const people = Array.from({ length: seeded }, (_, index) => person(index))
  hand.insertMany(people, 'bench')
  await users.insertMany(people, { actor: 'bench' })
  let fresh = seeded
  const thousand = () => Array.from({ length: 1_000 }, () => person(fresh++))
  /** The records that each side deletes next. */
  const next = { ours: 10_000, theirs: 10_000 }
  const cases: Case[] = [
    {
      what: 'get',
      count: 20_000,
      goal: 1 / 1.5,
      ours: (index) => users.get((index % seeded) + 1),
      theirs: (index) => hand.get((index % seeded) + 1),
    },
    {
      what: 'list of 100',
      count: 1_000,
      ours: () => users.find({ limit: 100, offset: 200 }),
      theirs: () => hand.list(100, 200),
    },
    {
      what: 'insert, one after the other',
      count: 1_000,
      ours: () => users.insert(person(fresh++), { actor: 'bench' }),
      theirs: () => hand.insert(person(fresh++), 'bench'),
    },
    {
      what: 'insert, 64 at once, both with shared commits',
      count: 6_400,
      together: 64,
      goal: 1 / 1.5,
      ours: () => users.insert(person(fresh++), { actor: 'bench' }),
      theirs: () => hand.shared.insert(person(fresh++), 'bench'),
    },
    {
      what: 'update, 64 at once, both with shared commits',
      count: 6_400,
      together: 64,
      ours: (index) => users.update((index % 10_000) + 1, { age: fresh++ % 150 }, { actor: 'bench' }),
      theirs: (index) => hand.shared.update((index % 10_000) + 1, { age: fresh++ % 150 }, 'bench'),
    },
    {
      what: 'delete, 64 at once, both with shared commits',
      count: 3_200,
      together: 64,
      ours: () => users.delete(next.ours++, { actor: 'bench' }),
      theirs: () => hand.shared.delete(next.theirs++, 'bench'),
    },
    {
      what: 'insertMany of 1,000',
      count: 30,
      goal: 0.85,
      ours: () => users.insertMany(thousand(), { actor: 'bench' }),
      theirs: () => hand.insertMany(thousand(), 'bench'),
    },
  ]
  const comparisons: Comparison[] = []
  for (const { what, goal, ...each } of cases) {
    const found = await inRounds([() => time(each, each.ours), () => time(each, each.theirs)], options)
    const question = { what: `accessor: ${what}`, against: 'prepared statements', unit: 'µs', isTime: true, ...(goal && { goal }) }
    const comparison = compare(found, 1, { ...question, value: (microseconds) => microseconds })
    options.report(`${comparison.what}: ${comparison.strongroom} µs, by hand ${comparison.other}: ${comparison.ratio}`)
    comparisons.push(comparison)
  }
  await storage.close()
  hand.close()
  return comparisons
}

interface Case {
  readonly what: string
  readonly count: number
  /** How many are under way at once. */
  readonly together?: number
  readonly goal?: number
  readonly ours: (index: number) => unknown
  readonly theirs: (index: number) => unknown
}

/** Microseconds that one operation takes. */
async function time({ count, together = 1 }: Pick<Case, 'count' | 'together'>, operation: (index: number) => unknown): Promise<number> {
  const start = performance.now()
  for (let index = 0; index < count; index += together) {
    if (together > 1) {
      await Promise.all(Array.from({ length: together }, (_, member) => operation(index + member)))
      continue
    }
    // What is there at once is not waited for: prepared statements answer so.
    const answer = operation(index)
    if (answer instanceof Promise) await answer
  }
  return ((performance.now() - start) * 1_000) / count
}
