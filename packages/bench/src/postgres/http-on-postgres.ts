import { type Comparison, compare } from '../beside-hand/compare.ts'
import type { Operation } from '../beside-hand/load-process.ts'
import { inRounds } from '../beside-hand/rounds.ts'
import { requireSameAnswers } from '../beside-hand/same-answers.ts'
import { deletesShare } from '../beside-hand/settings.ts'
import { LoadGenerator, type Side, startSide } from '../beside-hand/side.ts'
import type { PostgresBenchOptions, TwoDatabases } from './options.ts'

/** The same requests to Strongroom and to the server that was written by hand, each with its own PostgreSQL schema. */
export async function httpOnPostgres({ ours, theirs }: TwoDatabases, options: PostgresBenchOptions): Promise<Comparison[]> {
  const operations = (['get', 'list', 'post', 'put', 'delete'] as const satisfies Operation[]).filter((operation) =>
    options.operations.includes(operationNames[operation]),
  )
  const generator = new LoadGenerator()
  const sides: Side[] = []
  try {
    sides.push(await startSide(generator, { name: 'strongroom', program: './servers/strongroom.ts', args: [ours] }))
    sides.push(await startSide(generator, { name: 'hand', program: './servers/hand.ts', args: [theirs] }))
    await requireSameAnswers(sides)
    const comparisons: Comparison[] = []
    for (const connections of options.connections) {
      for (const operation of operations) {
        const seconds = options.seconds * (operation === 'delete' ? deletesShare : 1)
        const loads = sides.map((side) => () => side.load(operation, { connections, seconds }))
        const found = await inRounds(loads, options)
        const question = { what: `${operation}, ${connections} connections`, against: 'hand' }
        comparisons.push(
          compare(found, 1, { ...question, unit: 'requests/s', value: ({ perSecond }) => perSecond }),
          compare(found, 1, { ...question, unit: 'µs CPU', value: ({ microseconds }) => microseconds, isTime: true }),
        )
        for (const { what, unit, strongroom, other, ratio } of comparisons.slice(-2))
          options.report(`${what}, ${unit}: ${strongroom}, by hand ${other}: ${ratio}`)
      }
    }
    return comparisons
  } finally {
    for (const side of sides) await side.stop()
    generator.stop()
  }
}

/** What the operations of requests are called in process, and by `--operations`. */
const operationNames = { get: 'get', list: 'list', post: 'insert', put: 'update', delete: 'delete' } as const
