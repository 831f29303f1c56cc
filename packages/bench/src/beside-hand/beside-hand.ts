import { cpus, release } from 'node:os'
import Database from 'better-sqlite3'
import type { Judged } from '../audit/judge.ts'
import { accessorBench } from './accessor-bench.ts'
import { type Comparison, markdown } from './compare.ts'
import { httpBench } from './http-bench.ts'
import type { Operation } from './load-process.ts'
import type { RoundOptions } from './rounds.ts'
import { type StartFound, startBench } from './start-bench.ts'
import { wholeDatabaseBench } from './whole-database-bench.ts'

export interface BesideHandOptions extends RoundOptions {
  readonly seconds: number
  /** Some of accessor, http, start, export, import and verify. */
  readonly parts: string
  readonly operations: string
  readonly report: (line: string) => void
}

export interface BesideHandFound {
  readonly engine: string
  readonly machine: string
  readonly roundsAsked: number
  readonly roundsDone: number
  /** Rounds in which nothing else ran, where that were fewest. */
  readonly silentRounds: number
  readonly comparisons: readonly Comparison[]
  readonly starts: readonly StartFound[]
  readonly figures: readonly Omit<Judged, 'line'>[]
  readonly table: string
}

/** Everything that has a hand-written counterpart, and what has a goal of its own: the start, memory, verification. */
export async function besideHand(folder: string, options: BesideHandOptions): Promise<BesideHandFound> {
  const parts = options.parts.split(',')
  const operations = options.operations.split(',') as Operation[]
  const whole = await wholeDatabaseBench(folder, { ...options, parts })
  const comparisons = [
    ...(parts.includes('accessor') ? await accessorBench(folder, options) : []),
    ...(parts.includes('http') ? await httpBench(folder, { ...options, operations }) : []),
    ...whole.comparisons,
  ]
  const starts = parts.includes('start') ? await startBench(folder, options.rounds, options.report) : []
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Linux ${release()}`
  const engine = `SQLite ${sqliteVersion()}, synchronous=FULL unless said`
  const roundsDone = Math.min(options.rounds, ...comparisons.map(({ rounds }) => rounds))
  const silentRounds = Math.min(options.rounds, ...comparisons.map(({ silentRounds: silent }) => silent))
  const head = `${machine}; Node ${process.version}; ${engine}; ${new Date().toISOString().slice(0, 10)}; ${roundsDone} rounds, of which at least ${silentRounds} were silent`
  const startLines = starts.map(
    ({ what, milliseconds, least, greatest, goal }) =>
      `\nStart of the quickstart to its first answer, ${what}: ${Math.round(milliseconds)} ms (${Math.round(least)}–${Math.round(greatest)}), goal ${goal} ms.`,
  )
  const figureLines = whole.figures.map(({ line }) => `\n${line}.`)
  const figures = whole.figures.map(({ line: _, ...judged }) => judged)
  const table = [head, '', markdown(comparisons), ...startLines, ...figureLines].join('\n')
  return { engine, machine, roundsAsked: options.rounds, roundsDone, silentRounds, comparisons, starts, figures, table }
}

function sqliteVersion(): string {
  const database = new Database(':memory:')
  const { version } = database.prepare<[], { version: string }>('SELECT sqlite_version() AS version').get() ?? { version: 'unknown' }
  database.close()
  return version
}
