import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type EngineName, engineNames, startPostgres, tempFolder } from '@strongroom/testkit'
import pg from 'pg'
import type { CountingOptions } from './counting.ts'
import type { Evidence } from './evidence.ts'
import type { CampaignOptions } from './kills.ts'
import { sumRuns } from './sum-runs.ts'

interface EmptyDatabase {
  readonly url: string
  remove(): Promise<void>
}

/** Who runs a campaign may ask for one of the engines alone. */
export interface BothEnginesOptions extends CampaignOptions {
  readonly engine?: EngineName | undefined
}

const makers: Record<EngineName, () => Promise<EmptyDatabase>> = { sqlite: emptyFile, postgres: emptySchema }

/** Runs a campaign on one engine after the other, or on that of the options. The evidence has the sums, and under `runs` each engine's own. */
export async function onBothEngines(
  campaign: (options: CountingOptions) => Promise<Evidence>,
  options: BothEnginesOptions,
): Promise<Evidence> {
  const runs: Evidence[] = []
  for (const engine of options.engine ? [options.engine] : engineNames) {
    const { url, remove } = await makers[engine]()
    try {
      runs.push(await campaign({ ...options, engine, url, report: (line) => options.report?.(`${engine}: ${line}`) }))
    } finally {
      await remove()
    }
  }
  return sumRuns(runs)
}

/** Gives a campaign an empty database of each engine at once. */
export async function withBothEngines<T>(campaign: (urls: Readonly<Record<EngineName, string>>) => Promise<T>): Promise<T> {
  const sqlite = await emptyFile()
  const postgres = await emptySchema()
  try {
    return await campaign({ sqlite: sqlite.url, postgres: postgres.url })
  } finally {
    await Promise.all([sqlite.remove(), postgres.remove()])
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
