import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type EngineName, engineNames, startPostgres, tempFolder } from '@strongroom/testkit'
import pg from 'pg'
import type { CountingOptions } from './counting.ts'
import type { Evidence } from './evidence.ts'
import type { CampaignOptions } from './kills.ts'

interface EmptyDatabase {
  readonly url: string
  remove(): Promise<void>
}

const makers: Record<EngineName, () => Promise<EmptyDatabase>> = { sqlite: emptyFile, postgres: emptySchema }

/** Runs a campaign on one engine after the other. The evidence has the sums, and under `runs` each engine's own. */
export async function onBothEngines(
  campaign: (options: CountingOptions) => Promise<Evidence>,
  options: CampaignOptions,
): Promise<Evidence> {
  const runs: Evidence[] = []
  for (const engine of engineNames) {
    const { url, remove } = await makers[engine]()
    try {
      runs.push(await campaign({ ...options, engine, url, report: (line) => options.report?.(`${engine}: ${line}`) }))
    } finally {
      await remove()
    }
  }
  const sum = (numberOf: (run: Evidence) => number): number => runs.reduce((total, run) => total + numberOf(run), 0)
  const names = new Set(runs.flatMap((run) => Object.keys(run.counts)))
  return {
    campaign: runs[0]?.campaign ?? '',
    engine: runs.map((run) => run.engine).join(', '),
    seed: options.seed,
    roundsAsked: sum((run) => run.roundsAsked),
    roundsDone: sum((run) => run.roundsDone),
    counts: Object.fromEntries([...names].map((name) => [name, sum((run) => run.counts[name] ?? 0)])),
    faults: runs.flatMap((run) => run.faults.map((fault) => `${run.engine}: ${fault}`)),
    duration: Math.round(sum((run) => run.duration) * 10) / 10,
    runs,
  }
}

async function emptyFile(): Promise<EmptyDatabase> {
  const folder = await tempFolder('counting')
  return { url: `sqlite:${join(folder.path, 'counting.db')}`, remove: folder.remove }
}

async function emptySchema(): Promise<EmptyDatabase> {
  const server = await startPostgres()
  const schema = `counting_${randomUUID().replaceAll('-', '')}`
  const ask = async (sql: string): Promise<void> => {
    const client = new pg.Client(server.url)
    await client.connect()
    await client.query(sql)
    await client.end()
  }
  await ask(`CREATE SCHEMA ${schema}`)
  const url = new URL(server.url)
  url.searchParams.set('options', `-c search_path=${schema}`)
  const remove = async (): Promise<void> => {
    await ask(`DROP SCHEMA ${schema} CASCADE`)
    await server.stop()
  }
  return { url: url.href.replaceAll('+', '%20'), remove }
}
