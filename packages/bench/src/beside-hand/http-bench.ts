import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Comparison, compare } from './compare.ts'
import type { Operation } from './load-process.ts'
import { inRounds, type RoundOptions } from './rounds.ts'
import { requireSameAnswers } from './same-answers.ts'
import { seed } from './seed.ts'
import { LoadGenerator, type Measured, type Side, startSide } from './side.ts'

export interface HttpOptions extends RoundOptions {
  /** How long a server is under load in a round. */
  readonly seconds: number
  readonly operations: readonly Operation[]
  readonly report: (line: string) => void
}

const manyConnections = 64

/** The ways to write by hand, and how many times as fast as they writes shall be. */
const hands = [
  { name: 'hand', args: ['FULL', 'own'], goal: 5 },
  { name: 'hand, NORMAL', args: ['NORMAL', 'own'], goal: 2.5 },
  { name: 'hand, shared commits', args: ['FULL', 'shared'], goal: 0.9 },
] as const

/** How many times as fast as the hand-written server reads shall be. */
const readGoals = { get: 1, list: 1.8, pages: 1.8 } as const

/** The same requests to Strongroom and to servers that were written by hand, in turn. */
export async function httpBench(folder: string, options: HttpOptions): Promise<Comparison[]> {
  const generator = new LoadGenerator()
  const sides: Side[] = []
  try {
    const ours = join(folder, 'strongroom-http.db')
    const theirs = join(folder, 'hand-0.db')
    await seed(ours, theirs)
    sides.push(await startSide(generator, { name: 'strongroom', program: './servers/strongroom.ts', args: [`sqlite:${ours}`] }))
    const databases = hands.map((_, index) => join(folder, `hand-${index}.db`))
    for (const database of databases.slice(1)) copyFileSync(theirs, database)
    for (const [index, { name, args }] of hands.entries()) {
      const database = databases[index] ?? theirs
      sides.push(await startSide(generator, { name, program: './servers/hand.ts', args: [database, ...args] }))
    }
    return await measureAll(sides, options)
  } finally {
    for (const side of sides) await side.stop()
    generator.stop()
  }
}

async function measureAll(sides: readonly Side[], options: HttpOptions): Promise<Comparison[]> {
  const { operations, seconds, report } = options
  await requireSameAnswers(sides)
  const comparisons: Comparison[] = []
  for (const operation of operations) {
    const reads = operation === 'get' || operation === 'list' || operation === 'pages'
    const measured = reads ? sides.slice(0, 2) : sides
    const found = await inRounds(loads(measured, operation, manyConnections, seconds), options)
    const what = `${operation}, ${manyConnections} connections`
    for (const [index, { name, goal: writeGoal }] of hands.slice(0, measured.length - 1).entries()) {
      const goal = reads ? readGoals[operation] : writeGoal
      comparisons.push(
        compare(found, index + 1, { what, against: name, unit: 'requests/s', value: (one) => one.perSecond, goal }),
        compare(found, index + 1, {
          what,
          against: name,
          unit: 'µs CPU',
          value: (one) => one.microseconds,
          isTime: true,
          ...(reads && { goal }),
        }),
      )
    }
    report(
      comparisons
        .slice(-2 * (measured.length - 1))
        .map(lineOf)
        .join('\n'),
    )
  }
  if (operations.includes('post')) {
    const found = await inRounds(loads(sides.slice(0, 2), 'post', 1, seconds), options)
    const question = { what: 'post, 1 connection', against: 'hand', unit: 'ms, p50', value: (one: Measured) => one.p50, isTime: true }
    comparisons.push(compare(found, 1, { ...question, goal: 1 / 1.1 }))
    report(comparisons.slice(-1).map(lineOf).join('\n'))
  }
  return comparisons
}

function loads(sides: readonly Side[], operation: Operation, connections: number, seconds: number): (() => Promise<Measured>)[] {
  return sides.map((side) => () => side.load(operation, { connections, seconds }))
}

function lineOf({ what, against, unit, strongroom, other, ratio, leastRatio, greatestRatio }: Comparison): string {
  return `${what}, ${unit}: ${strongroom}, ${against} ${other}: ${ratio} (${leastRatio}–${greatestRatio})`
}
