import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Judged, judge } from '../audit/judge.ts'
import { measureVerification } from '../audit/verify-bench.ts'
import { makeUsers } from '../transfer/databases.ts'
import { measureExport } from '../transfer/export-bench.ts'
import { measureImport, writeCsv } from '../transfer/import-bench.ts'
import { type Comparison, compare } from './compare.ts'
import { inRounds, type RoundOptions } from './rounds.ts'

export interface WholeDatabaseOptions extends RoundOptions {
  readonly parts: readonly string[]
  readonly report: (line: string) => void
}

export interface WholeDatabaseFound {
  readonly comparisons: readonly Comparison[]
  /** What has no counterpart, held against a goal of its own. */
  readonly figures: readonly Judged[]
}

const records = 1_000_000
/** Entries that are verified. */
const entries = 300_000
/** An import takes long, and has no goal. */
const importRounds = 3

/** What is done to all of a SQLite database: an export beside a row-by-row stream, an import, a verification of the log, and the memory they take. */
export async function wholeDatabaseBench(folder: string, options: WholeDatabaseOptions): Promise<WholeDatabaseFound> {
  const comparisons: Comparison[] = []
  const figures: Judged[] = []
  if (options.parts.includes('export')) {
    const found = await exports(folder, options)
    comparisons.push(found.comparison)
    figures.push(found.memory)
    options.report(`${found.comparison.what}: ${found.comparison.strongroom} rows/s, by hand ${found.comparison.other}`)
  }
  if (options.parts.includes('import')) figures.push(...(await imports(folder, options.rounds)))
  if (options.parts.includes('verify'))
    figures.push(...(await measureVerification('SQLite', `sqlite:${join(folder, 'verify.db')}`, { rounds: options.rounds, entries })))
  for (const { line } of figures) options.report(line)
  return { comparisons, figures }
}

async function exports(folder: string, options: RoundOptions): Promise<{ readonly comparison: Comparison; readonly memory: Judged }> {
  const file = join(folder, 'export.db')
  await makeUsers(file, records)
  const side = (kind: string) => () => measureExport(folder, kind, `sqlite:${file}`, 'users')
  const found = await inRounds([side('export'), side('rows')], options)
  rmSync(file)
  const what = `CSV export of ${records.toLocaleString('en')} rows, zipped`
  const comparison = compare(found, 1, {
    what,
    against: 'a row-by-row stream, not zipped',
    unit: 'rows/s',
    value: ({ seconds }) => records / seconds,
    goal: 1.8,
  })
  const values = found.kept.flatMap(([ours]) => (ours ? [ours.peakMegabytes] : []))
  return { comparison, memory: judge({ what: `${what}: megabytes of memory at most`, goal: 150, values }) }
}

async function imports(folder: string, rounds: number): Promise<Judged[]> {
  const csv = join(folder, 'import.csv')
  await writeCsv(csv, records)
  const found: Awaited<ReturnType<typeof measureImport>>[] = []
  for (let round = 0; round < Math.min(rounds, importRounds); round++) {
    const file = join(folder, 'import.db')
    found.push(await measureImport(`sqlite:${file}`, csv, records))
    for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true })
  }
  rmSync(csv)
  const what = `CSV import of ${records.toLocaleString('en')} rows with their entries`
  return [
    judge({ what: `${what}: rows a second`, values: found.map(({ rowsPerSecond }) => rowsPerSecond) }),
    judge({ what: `${what}: megabytes that memory grows`, values: found.map(({ growthMegabytes }) => growthMegabytes) }),
  ]
}
