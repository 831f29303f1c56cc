import { openStorage } from '@strongroom/core'
import { type Comparison, compare } from '../beside-hand/compare.ts'
import { inRounds } from '../beside-hand/rounds.ts'
import { person } from '../beside-hand/seed.ts'
import { deletesShare } from '../beside-hand/settings.ts'
import { userAccessor } from '../strongroom-users.ts'
import { HandPostgresStore } from './hand-store.ts'
import type { PostgresBenchOptions, TwoDatabases } from './options.ts'
import { requireSameEntries, requireSameResults } from './same-results.ts'

/** How many times as fast as by hand a write with its entry shall be, where this many are under way. */
const writeGoal = { goal: 1.7, from: 16 }

interface Case {
  readonly operation: string
  readonly what: string
  readonly ours: (number: number) => Promise<unknown>
  readonly theirs: (number: number) => Promise<unknown>
}

/** What one side of a round comes to. */
interface Measured {
  readonly perSecond: number
  /** Processor time of this process for an operation; the server's is not in it. */
  readonly microseconds: number
}

/** In process, with as many operations under way as each side has connections. */
export async function accessorOnPostgres({ ours, theirs, records }: TwoDatabases, options: PostgresBenchOptions): Promise<Comparison[]> {
  const comparisons: Comparison[] = []
  // Numbers of new records, and of the next one that is deleted: both go on from one number of connections to the next.
  const next = { fresh: 10_000_000, ours: 20_000, theirs: 20_000 }
  for (const connections of options.connections) {
    const users = userAccessor()
    const storage = await openStorage({ url: ours, accessors: [users], postgres: { poolSize: connections } })
    const hand = new HandPostgresStore(theirs, connections)
    try {
      if (comparisons.length === 0) {
        await requireSameResults(users, hand)
        await storage.audit.waitUntilSealed()
        await requireSameEntries(ours, theirs)
      }
      const actor = { actor: 'bench' }
      const id = (number: number): number => (number % 10_000) + 1
      const cases: Case[] = [
        { operation: 'get', what: 'get', ours: (number) => users.get(id(number)), theirs: (number) => hand.get(id(number)) },
        {
          operation: 'list',
          what: 'list of 100',
          ours: () => users.find({ limit: 100, offset: 200 }),
          theirs: () => hand.list(100, 200),
        },
        {
          operation: 'insert',
          what: 'insert with its entry',
          ours: () => users.insert(person(next.fresh++), actor),
          theirs: () => hand.insert(person(next.fresh++), 'bench'),
        },
        {
          operation: 'update',
          what: 'update with its entry',
          ours: (number) => users.update(id(number), { age: Math.floor(number / 10_000) % 150 }, actor),
          theirs: (number) => hand.update(id(number), { age: Math.floor(number / 10_000) % 150 }, 'bench'),
        },
        {
          operation: 'delete',
          what: 'delete with its entry',
          ours: () => removed(next.ours++, records, (gone) => users.delete(gone, actor)),
          theirs: () => removed(next.theirs++, records, (gone) => hand.delete(gone, 'bench')),
        },
      ]
      for (const each of cases.filter(({ operation }) => options.operations.includes(operation))) {
        const reads = each.operation === 'get' || each.operation === 'list'
        const seconds = options.seconds * (each.operation === 'delete' ? deletesShare : 1)
        const side = (run: Case['ours']) => async (): Promise<Measured> => {
          // What one side has left to be done is not to burden the other.
          await storage.audit.waitUntilSealed()
          return measure(connections, seconds, run)
        }
        const found = await inRounds([side(each.ours), side(each.theirs)], options)
        const what = `accessor: ${each.what}, ${connections} at once`
        const goal = reads || connections < writeGoal.from ? {} : { goal: writeGoal.goal }
        const against = reads ? 'a named statement' : 'BEGIN … COMMIT'
        comparisons.push(
          compare(found, 1, { what, against, unit: 'operations/s', value: ({ perSecond }) => perSecond, ...goal }),
          compare(found, 1, { what, against, unit: 'µs CPU', value: ({ microseconds }) => microseconds, isTime: true }),
        )
        for (const { unit, strongroom, other, ratio } of comparisons.slice(-2))
          options.report(`${what}, ${unit}: ${strongroom}, by hand ${other}: ${ratio}`)
      }
    } finally {
      await storage.close()
      await hand.close()
    }
  }
  return comparisons
}

/** Deletes a record that is there: one that is not would be no work. */
async function removed(id: number, records: number, remove: (id: number) => Promise<unknown>): Promise<void> {
  if (id > records || !(await remove(id))) throw new Error(`record ${id} is not there to be deleted: seed more than ${records}`)
}

/** Numbers of what is done, so that no two rounds are alike. */
let number = 0

async function measure(together: number, seconds: number, run: (number: number) => Promise<unknown>): Promise<Measured> {
  const before = process.cpuUsage()
  const start = performance.now()
  const end = start + seconds * 1_000
  let count = 0
  await Promise.all(
    Array.from({ length: together }, async () => {
      while (performance.now() < end) {
        await run(number++)
        count++
      }
    }),
  )
  const { user, system } = process.cpuUsage(before)
  return { perSecond: (count / (performance.now() - start)) * 1_000, microseconds: (user + system) / count }
}
