import { join } from 'node:path'
import { DateTime, defineModel, ModelAccessor } from '@strongroom/core'
import { bootstrap } from '@strongroom/fastify'
import Fastify from 'fastify'
import { Type } from 'typebox'
import { onPostgres } from './on-postgres.ts'
import { median } from './statistics.ts'

const Person = defineModel(
  'people',
  { name: Type.String({ maxLength: 100 }), role: Type.String({ maxLength: 20 }), created: DateTime() },
  { indexes: [['role', 'created']] },
)

export interface PagesOptions {
  readonly rounds: number
  /** Records in the table; three of five hold the filter. */
  readonly records: number
  readonly seed: number
  readonly report: (line: string) => void
}

/** Median milliseconds of the pages, and the median of what each round's pair makes. */
interface PageTimes {
  readonly engine: string
  readonly through: 'accessor' | 'http'
  readonly deepPage: number
  readonly firstMedian: number
  readonly secondMedian: number
  readonly deepMedian: number
  /** The deep page beside the first. */
  readonly ratio: number
  /** The deep page beside the second, which begins at a cursor too. */
  readonly ratioToSecond: number
  readonly rounds: number
}

interface PagesEvidence {
  readonly engine: string
  readonly seed: number
  readonly roundsAsked: number
  readonly roundsDone: number
  readonly counts: Readonly<Record<string, number>>
  readonly faults: readonly string[]
  readonly results: readonly PageTimes[]
}

const pageSize = 100
const deepest = 5_000

/** Lists with a filter, an order and a cursor: the first page beside a deep one, in turn, on both engines. */
export async function pagesBench(folder: string, options: PagesOptions): Promise<PagesEvidence> {
  const sqlite = await measure('sqlite', `sqlite:${join(folder, 'pages.db')}`, options, async () => undefined)
  // The server's own autovacuum would do the same, some time later.
  const postgres = await onPostgres('pages', (url, ask, schema) =>
    measure('postgres', url, options, () => ask(`VACUUM ANALYZE ${schema}.people`)),
  )
  const runs = [sqlite, postgres]
  return {
    engine: 'sqlite, postgres',
    seed: options.seed,
    roundsAsked: options.rounds,
    roundsDone: Math.min(...runs.flatMap((run) => run.results.map(({ rounds }) => rounds))),
    counts: { records: options.records, walked: runs.reduce((sum, run) => sum + run.walked, 0) },
    faults: runs.flatMap((run) => run.faults),
    results: runs.flatMap((run) => run.results),
  }
}

async function measure(engine: string, databaseUrl: string, options: PagesOptions, analyse: () => Promise<void>) {
  const people = new ModelAccessor(Person, 'people')
  const app = Fastify()
  await bootstrap(app, { accessors: [people], databaseUrl, auth: false, operators: 'loopback', transactionTimeLimit: 120_000 })
  try {
    options.report(`${engine}: ${options.records} records are inserted`)
    await seed(people, options)
    await analyse()
    const deepPage = Math.min(deepest, Math.floor((options.records * 0.59) / pageSize))
    const { cursors, walked, faults } = await walk(people, deepPage)
    options.report(`${engine}: walked to page ${deepPage}`)
    const byAccessor = (cursor?: string) => () => people.page({ ...question, ...(cursor !== undefined && { after: cursor }) })
    const url = `/people?role=member&sort=-created&limit=${pageSize}&count=none`
    const byHttp = (cursor?: string) => async () => {
      const response = await app.inject(cursor === undefined ? url : `${url}&after=${cursor}`)
      if (response.statusCode !== 200 || response.json().length !== pageSize) throw new Error(`the list answered ${response.statusCode}`)
    }
    const results: PageTimes[] = [
      { engine, through: 'accessor', deepPage, ...(await pairedTimes(options.rounds, cursors.map(byAccessor))) },
      { engine, through: 'http', deepPage, ...(await pairedTimes(options.rounds, cursors.map(byHttp))) },
    ]
    for (const row of results)
      options.report(
        `${engine} ${row.through}: pages 1, 2, ${deepPage}: ${[row.firstMedian, row.secondMedian, row.deepMedian].map((time) => time.toFixed(3)).join(', ')} ms; to the first ${row.ratio.toFixed(2)}, to the second ${row.ratioToSecond.toFixed(2)}`,
      )
    return { results, walked, faults: faults.map((fault) => `${engine}: ${fault}`) }
  } finally {
    await app.close()
  }
}

const question = { where: { role: 'member' }, orderBy: '-created', limit: pageSize, count: 'none' } as const

async function seed(people: ModelAccessor<typeof Person>, { records, seed: start }: PagesOptions): Promise<void> {
  const random = seededRandom(start)
  const from = Date.UTC(2026, 0, 1)
  const batch = 10_000
  for (let done = 0; done < records; done += batch) {
    const rows = Array.from({ length: Math.min(batch, records - done) }, (_, index) => ({
      name: `Person ${done + index}`,
      role: random() < 0.6 ? 'member' : 'guest',
      // Seconds of a week: most are shared by one or two.
      created: new Date(from + Math.floor(random() * 604_800) * 1_000),
    }))
    await people.insertMany(rows, { actor: 'bench' })
  }
}

/** Goes from page to page, looking that nothing comes twice or out of order. Answers the cursors at which the first, second and last page begin. */
async function walk(people: ModelAccessor<typeof Person>, pages: number) {
  const faults: string[] = []
  let walked = 0
  let after: string | undefined
  let second: string | undefined
  let last: { readonly id: number; readonly created: Date } | undefined
  for (let page = 1; page <= pages; page++) {
    const found = await people.page({ ...question, ...(after !== undefined && { after }) })
    for (const row of found.rows) {
      const follows = !last || row.created < last.created || (row.created.getTime() === last.created.getTime() && row.id < last.id)
      if (!follows) faults.push(`page ${page}: record ${row.id} does not follow ${last?.id}`)
      last = row
    }
    walked += found.rows.length
    if (page === pages) break
    if (found.next === undefined) throw new Error(`the walk ended at page ${page}`)
    after = found.next
    second ??= after
  }
  return { cursors: [undefined, second, after], walked, faults }
}

/** Times the first, second and deep page in turn. */
async function pairedTimes(rounds: number, pages: readonly (() => Promise<unknown>)[]) {
  const times: number[][] = []
  for (let round = -20; round < rounds; round++) {
    const row: number[] = []
    // Whoever comes later finds a warmer machine.
    const turns = round % 2 === 0 ? pages.entries() : [...pages.entries()].reverse()
    for (const [index, page] of turns) row[index] = await timeOf(page)
    if (round >= 0) times.push(row)
  }
  const medianOf = (value: (row: readonly number[]) => number): number => median(times.map(value))
  return {
    firstMedian: medianOf(([first = Number.NaN]) => first),
    secondMedian: medianOf(([, second = Number.NaN]) => second),
    deepMedian: medianOf(([, , deep = Number.NaN]) => deep),
    ratio: medianOf(([first = Number.NaN, , deep = Number.NaN]) => deep / first),
    ratioToSecond: medianOf(([, second = Number.NaN, deep = Number.NaN]) => deep / second),
    rounds: times.length,
  }
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
function seededRandom(start: number): () => number {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
