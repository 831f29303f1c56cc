import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { inRounds } from '../beside-hand/rounds.ts'
import type { Axis, AxisOptions } from './axis.ts'
import { buildDatabases } from './build-databases.ts'
import { type Curve, curveOf } from './curve.ts'
import { type OperationName, operations } from './operations.ts'
import { type Cost, startGrowthSide } from './side-process.ts'

const smallest = 1_000

/** Up to here writes of a round begin with a copy: what earlier rounds have added would be much for so few records. */
const mostRenewed = 100_000

/** The most that anything may cost at ten million beside ten thousand records. */
const limit = 1.5

const measured: readonly { readonly name: OperationName; readonly limit?: number; readonly mustGrow?: boolean }[] = [
  { name: 'get', limit },
  { name: 'page', limit },
  { name: 'filteredPage', limit },
  { name: 'auditPage', limit },
  { name: 'deepAuditPage', limit },
  { name: 'history', limit },
  { name: 'count', limit, mustGrow: true },
  { name: 'insert', limit },
  { name: 'update', limit },
  { name: 'insertMany', limit },
  // Beside these, what SQLite itself makes of a larger file.
  { name: 'handGet' },
  { name: 'handInsertMany' },
]

/** From a thousand records, each with its entry in the log, to `most`, tenfold at each step. */
export async function rowsAxis(folder: string, { rounds, keepAll, most, report }: AxisOptions): Promise<Axis> {
  const points: number[] = []
  for (let size = smallest; size <= most; size *= 10) points.push(size)
  const files = await buildDatabases(folder, points, report)
  const against = Math.min(1, points.length - 1)
  const work = files.map((file, place) => ((points[place] ?? 0) > mostRenewed ? file : join(folder, `work-${points[place]}.db`)))
  for (const [place, file] of files.entries()) if (work[place] !== file) copyFileSync(file, work[place] ?? file)
  const sides = await Promise.all(work.map((file) => startGrowthSide(file, 1)))
  try {
    const curves: Curve[] = []
    for (const { name, ...judged } of measured) {
      const writes = ['insert', 'update', 'insertMany', 'handInsertMany'].includes(name)
      const turns = sides.map((side, place) => async (): Promise<Cost> => {
        const file = files[place] ?? ''
        if (writes && work[place] !== file) await side.renew(file)
        return side.measure(name)
      })
      const curve = curveOf(await inRounds(turns, { rounds, keepAll }), {
        what: operations[name].what,
        unit: 'µs of processor time',
        points,
        against,
        value: ({ microseconds }) => microseconds,
        beside: { microsecondsByTheClock: ({ wall }) => wall },
        ...judged,
      })
      report(`${curve.what}: ${curve.values.join(', ')}: ${curve.ratio} (${curve.leastRatio}–${curve.greatestRatio})`)
      curves.push(curve)
    }
    return { axis: 'rows', what: 'records, each with its entry in the log', points, against: points[against] ?? smallest, curves }
  } finally {
    for (const side of sides) await side.stop()
    for (const [place, file] of files.entries())
      if (work[place] !== file) for (const end of ['', '-wal', '-shm']) rmSync(`${work[place]}${end}`, { force: true })
  }
}
