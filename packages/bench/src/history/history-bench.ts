import { join } from 'node:path'
import { bootstrap } from '@strongroom/fastify'
import Fastify, { type FastifyInstance } from 'fastify'
import { onKeptPostgres } from '../on-postgres.ts'
import { median } from '../statistics.ts'
import { makeNotes, type SeededLog, seedLog } from './seed-log.ts'

export interface HistoryBenchOptions {
  readonly engine: 'sqlite' | 'postgres'
  readonly rounds: number
  /** Entries of the larger log, and of the smaller one. */
  readonly entries: number
  readonly fewEntries: number
  /** A PostgreSQL in which the logs stay from run to run. */
  readonly url?: string | undefined
  readonly report: (line: string) => void
}

/** Median milliseconds of one question, asked of both logs in turn, and the median of what each round's pair makes. */
interface Growth {
  readonly question: string
  readonly few: number
  readonly many: number
  readonly ratio: number
  readonly rounds: number
}

export interface HistoryRun {
  readonly entries: number
  readonly fewEntries: number
  readonly roundsAsked: number
  readonly roundsDone: number
  readonly seedSeconds: number
  readonly results: readonly Growth[]
  /** Questions that cost more than twice as much of the larger log. */
  readonly missed: readonly string[]
}

/** A server on a database whose log was filled by writes like any others. */
interface Side extends SeededLog {
  readonly app: FastifyInstance
}

/** What is asked of the log and of the past, of a large log beside a small one. */
export async function historyBench(folder: string, options: HistoryBenchOptions): Promise<HistoryRun> {
  if (options.engine === 'sqlite')
    return measure(
      options,
      (name) => `sqlite:${join(folder, `${name}.db`)}`,
      async () => undefined,
    )
  const { url } = options
  return onKeptPostgres('history_few', url, (few, askFew, fewSchema) =>
    onKeptPostgres('history_many', url, (many, askMany, manySchema) =>
      measure(
        options,
        (name) => (name === 'few' ? few : many),
        async () => {
          // The server's own autovacuum would do the same, some time later.
          for (const table of ['notes', 'strongroom_audit_log']) {
            await askFew(`VACUUM ANALYZE ${fewSchema}.${table}`)
            await askMany(`VACUUM ANALYZE ${manySchema}.${table}`)
          }
        },
      ),
    ),
  )
}

async function measure(
  options: HistoryBenchOptions,
  urlOf: (name: 'few' | 'many') => string,
  analyse: () => Promise<void>,
): Promise<HistoryRun> {
  const started = performance.now()
  const few = await openSide(urlOf('few'), options.fewEntries, options)
  const many = await openSide(urlOf('many'), options.entries, options)
  try {
    await analyse()
    const seedSeconds = Math.round((performance.now() - started) / 1_000)
    const results: Growth[] = []
    for (const [question, urlOn] of Object.entries(questions)) {
      const growth = { question, ...(await pairedTimes(options.rounds, [few, many], urlOn)) }
      results.push(growth)
      options.report(`${options.engine} ${question}: ${growth.few.toFixed(2)} ms, ${growth.many.toFixed(2)} ms: ${growth.ratio.toFixed(2)}`)
    }
    return {
      entries: options.entries,
      fewEntries: options.fewEntries,
      roundsAsked: options.rounds,
      roundsDone: Math.min(...results.map(({ rounds }) => rounds)),
      seedSeconds,
      results,
      missed: results.filter(({ ratio }) => ratio > 2).map(({ question }) => question),
    }
  } finally {
    await few.app.close()
    await many.app.close()
  }
}

async function openSide(databaseUrl: string, entries: number, { engine, report }: HistoryBenchOptions): Promise<Side> {
  const notes = makeNotes()
  const app = Fastify()
  await bootstrap(app, { accessors: [notes], databaseUrl, auth: false, operators: 'loopback', transactionTimeLimit: 600_000 })
  report(`${engine}: a log of ${entries.toLocaleString('en')} entries is written`)
  return { app, ...(await seedLog(app.storage, notes, entries, report)) }
}

/** Each is answered with 100 rows, but for the history of a record, which has as many entries in both logs. */
const questions: Readonly<Record<string, (side: Side) => string>> = {
  'the history of a record': ({ id }) => `/notes/${id}/history`,
  'a record as it was': ({ id, before }) => `/notes/${id}?at=${before}`,
  'a list as it was': ({ before }) => `/notes?at=${before}&limit=100&count=none`,
  'a filtered, sorted list as it was': ({ before }) => `/notes?at=${before}&kind=letter&sort=-written&limit=100&count=none`,
  'the newest entries': () => '/db/audit?limit=100',
  'entries of a component': () => '/db/audit?component=notes&limit=100',
  'entries of a record': ({ id }) => `/db/audit?component=notes&record_id=${id}&limit=100`,
  'entries of an actor': ({ actor }) => `/db/audit?actor=${actor}&limit=100`,
  'entries of an operation': () => '/db/audit?operation=create&limit=100',
  'entries of a request': ({ request }) => `/db/audit?request_id=${request}&limit=100`,
  'entries since an instant': ({ before }) => `/db/audit?since=${before}&limit=100`,
  'entries before an instant': ({ before }) => `/db/audit?until=${before}&limit=100`,
  'entries of an actor before an instant': ({ actor, before }) => `/db/audit?actor=${actor}&until=${before}&limit=100`,
}

async function pairedTimes(rounds: number, sides: readonly [Side, Side], urlOn: (side: Side) => string): Promise<Omit<Growth, 'question'>> {
  const times: number[][] = []
  for (let round = -5; round < rounds; round++) {
    const row: number[] = []
    // Whoever comes later finds a warmer machine.
    const turns = round % 2 === 0 ? [...sides.entries()] : [...sides.entries()].reverse()
    for (const [index, side] of turns) row[index] = await timeOf(side.app, urlOn(side))
    if (round >= 0) times.push(row)
  }
  return {
    few: median(times.map(([few = Number.NaN]) => few)),
    many: median(times.map(([, many = Number.NaN]) => many)),
    ratio: median(times.map(([few = Number.NaN, many = Number.NaN]) => many / few)),
    rounds: times.length,
  }
}

async function timeOf(app: FastifyInstance, url: string): Promise<number> {
  const start = performance.now()
  const answer = await app.inject(url)
  const time = performance.now() - start
  if (answer.statusCode !== 200) throw new Error(`${url} was answered ${answer.statusCode}: ${answer.body}`)
  return time
}
