import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { inRounds } from '../beside-hand/rounds.ts'
import type { Axis, AxisOptions } from './axis.ts'
import { buildDatabases } from './build-databases.ts'
import { type Curve, curveOf } from './curve.ts'
import { type OperationName, operations } from './operations.ts'
import { type Cost, type GrowthSide, type Ready, startGrowthSide } from './side-process.ts'

const records = 10_000
const limit = 1.5
const measured: readonly { readonly name: OperationName; readonly mustGrow?: boolean }[] = [
  { name: 'get' },
  { name: 'page' },
  { name: 'auditPage' },
  { name: 'document', mustGrow: true },
  { name: 'insert' },
  { name: 'update' },
]

/** From one model to `most`, of which only the first has records: what the others cost those who do not use them, and a start. */
export async function modelsAxis(folder: string, { rounds, keepAll, most, report }: AxisOptions): Promise<Axis> {
  const points = [1, 3, 10, 30, 100].filter((models) => models <= most)
  const [people = ''] = await buildDatabases(folder, [records], report)
  const databases = points.map((models) => join(folder, `models-${models}.db`))
  for (const database of databases) copyFileSync(people, database)
  const start = (place: number): Promise<GrowthSide> => startGrowthSide(databases[place] ?? '', points[place] ?? 1)
  const judged = { points, against: 0, limit }
  const curves: Curve[] = []
  const keep = (curve: Curve): void => {
    report(`${curve.what}: ${curve.values.join(', ')}: ${curve.ratio} (${curve.leastRatio}–${curve.greatestRatio})`)
    curves.push(curve)
  }
  // The rounds that only warm up make the tables.
  const starts = await inRounds(
    points.map((_, place) => async (): Promise<Ready> => {
      const side = await start(place)
      await side.stop()
      return side.ready
    }),
    { rounds, keepAll },
  )
  keep(
    curveOf(starts, {
      ...judged,
      what: 'start of a server',
      unit: 'µs of processor time',
      value: (ready) => ready.microseconds,
      mustGrow: true,
    }),
  )
  keep(curveOf(starts, { ...judged, what: 'memory after the start', unit: 'bytes', value: (ready) => ready.resident, mustGrow: true }))
  const sides = await Promise.all(points.map((_, place) => start(place)))
  try {
    for (const { name, ...options } of measured) {
      const found = await inRounds<Cost>(
        sides.map((side) => () => side.measure(name)),
        { rounds, keepAll },
      )
      const beside = { microsecondsByTheClock: ({ wall }: Cost) => wall }
      keep(
        curveOf(found, {
          ...judged,
          ...options,
          what: operations[name].what,
          unit: 'µs of processor time',
          value: ({ microseconds }) => microseconds,
          beside,
        }),
      )
    }
    return { axis: 'models', what: 'models', points, against: 1, curves }
  } finally {
    for (const side of sides) await side.stop()
  }
}
