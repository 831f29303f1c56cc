import { cpus, release } from 'node:os'
import { type Comparison, markdown } from '../beside-hand/compare.ts'
import { onPostgres } from '../on-postgres.ts'
import { accessorOnPostgres } from './accessor-on-postgres.ts'
import { httpOnPostgres } from './http-on-postgres.ts'
import type { PostgresBenchOptions, TwoDatabases } from './options.ts'
import { seedUsers } from './seed-users.ts'

/** Records that are there before anything is measured: deletes walk through them. */
const seeded = 100_000

/** Reads, and writes with their entries, on a real PostgreSQL: ours beside the same statements on the same tables, written by hand. */
export async function postgresBench(options: PostgresBenchOptions) {
  const comparisons: Comparison[] = []
  for (const part of options.parts) {
    const measure = part === 'http' ? httpOnPostgres : accessorOnPostgres
    comparisons.push(...(await onTwoDatabases((databases) => measure(databases, options))))
  }
  const roundsDone = Math.min(...comparisons.map(({ rounds }) => rounds))
  const silentRounds = Math.min(...comparisons.map(({ silentRounds: silent }) => silent))
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Linux ${release()}`
  const engine = 'PostgreSQL 17, fsync off'
  const head = `${machine}; Node ${process.version}; ${engine}; ${new Date().toISOString().slice(0, 10)}; ${roundsDone} rounds, of which at least ${silentRounds} were silent`
  return {
    engine,
    machine,
    roundsAsked: options.rounds,
    roundsDone,
    silentRounds,
    comparisons,
    table: [head, '', markdown(comparisons)].join('\n'),
  }
}

/**
 * Each side has a server of its own, whose processes have nothing to do while the other is measured. Both have the same tables, made by
 * Strongroom; nobody seals what is written by hand.
 */
function onTwoDatabases<T>(work: (databases: TwoDatabases) => Promise<T>): Promise<T> {
  return onPostgres('ours', async (ours, askOurs, ourSchema) => {
    await seedUsers(ours, seeded)
    // The server's own autovacuum would do the same, some time later.
    const settle = (ask: typeof askOurs, schema: string): Promise<void> => ask(`SET search_path = ${schema}; ANALYZE; CHECKPOINT`)
    await settle(askOurs, ourSchema)
    return onPostgres('hand', async (theirs, askTheirs, theirSchema) => {
      await seedUsers(theirs, seeded)
      await settle(askTheirs, theirSchema)
      return work({ ours, theirs, records: seeded })
    })
  })
}
