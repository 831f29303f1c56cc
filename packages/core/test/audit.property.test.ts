import { describeEngines } from '@strongroom/testkit'
import fc from 'fast-check'
import { test } from 'vitest'
import { Bench } from './audit-bench.ts'
import { command } from './audit-commands.ts'
import { storagesOn } from './support.ts'

/*
 * Random sequences of every write path, with hooks that fail and transactions that are rolled back, against a model in memory.
 * RUNS says how many sequences (60 unless said), SEED repeats a run.
 */
const runs = Number(process.env['RUNS'] ?? 60)
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))

describeEngines('every write leaves its audit entries and nothing else', (engine) => {
  const open = storagesOn(engine)

  test(`in ${runs} random sequences`, { timeout: 60_000 + runs * 3_000 }, async () => {
    console.info(`audit property on ${engine.name}: SEED=${seed} RUNS=${runs}`)
    const bench = await Bench.make(open)
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 20, maxLength: 20, size: 'max' }), async (commands) => {
        await bench.clear()
        for (const step of commands) {
          await bench.run(step)
          await bench.compare(step)
        }
        await bench.compareChains()
      }),
      { numRuns: runs, seed },
    )
  })
})
