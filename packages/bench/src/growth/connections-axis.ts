import { join } from 'node:path'
import { inRounds } from '../beside-hand/rounds.ts'
import { seedStrongroom } from '../beside-hand/seed.ts'
import { LoadGenerator, type Measured, startSide } from '../beside-hand/side.ts'
import type { Axis, AxisOptions } from './axis.ts'
import { type Curve, curveOf } from './curve.ts'

const records = 50_000
const operations = ['get', 'list', 'post', 'put'] as const
/** Of one point of a round. */
const seconds = 1
const limit = 1.5

/** Clients at once over HTTP, fourfold at each step: the processor time of a request, requests in a second, and how long the slowest hundredth waits. */
export async function connectionsAxis(folder: string, { rounds, keepAll, most, report }: AxisOptions): Promise<Axis> {
  const points: number[] = []
  for (let connections = 1; connections <= most; connections *= 4) points.push(connections)
  const database = join(folder, 'connections.db')
  await seedStrongroom(database, records)
  const generator = new LoadGenerator()
  const server = await startSide(generator, { name: 'strongroom', program: './servers/strongroom.ts', args: [`sqlite:${database}`] })
  try {
    const curves: Curve[] = []
    for (const operation of operations) {
      const turns = points.map((connections) => () => server.load(operation, { connections, seconds }))
      const curve = curveOf<Measured>(await inRounds(turns, { rounds, keepAll }), {
        what: `${operation} over HTTP`,
        unit: 'µs of processor time',
        points,
        against: 0,
        value: ({ microseconds }) => microseconds,
        beside: { perSecond: ({ perSecond }) => perSecond, p50Milliseconds: ({ p50 }) => p50, p99Milliseconds: ({ p99 }) => p99 },
        limit,
      })
      report(`${curve.what}: ${curve.values.join(', ')}: ${curve.ratio} (${curve.leastRatio}–${curve.greatestRatio})`)
      curves.push(curve)
    }
    return { axis: 'connections', what: 'connections over HTTP', points, against: 1, curves }
  } finally {
    await server.stop()
    generator.stop()
  }
}
