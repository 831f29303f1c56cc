import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startPostgres, tempFolder } from '@strongroom/testkit'
import pg from 'pg'
import type { Evidence } from '../evidence.ts'
import { type CampaignOptions, seconds } from '../kills.ts'

const run = promisify(execFile)

export interface MovesOptions extends CampaignOptions {
  /** Megabytes that a process which moves may take; 200 unless said. */
  readonly megabytes?: number
}

/** What `strongroom move` says of itself. */
interface MoveAnswer {
  readonly resumed: boolean
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly sha256: string }[]
}

/** What `strongroom audit verify` says of a log. */
interface VerifyAnswer {
  readonly ok: boolean
  readonly entries: number
  readonly fault: unknown
}

/**
 * The quickstart's data, enlarged to so many rows (`rounds`; records, and entries of the log), are moved from SQLite to PostgreSQL, back, and
 * there again, each by a `strongroom move` of its own. The first move is killed in its middle, and goes on. All have the same hashes, take
 * little memory, and each log proves itself.
 */
export async function movesCampaign({ rounds, seed, megabytes: most = 200, report = () => undefined }: MovesOptions): Promise<Evidence> {
  const started = performance.now()
  const faults: string[] = []
  const folder = await tempFolder('moves')
  const server = await startPostgres()
  const databases = ['moved_there', 'moved_again']
  const counts = { rows: 0, moves: 0, resumed: 0, entries: 0, slowestMoveSeconds: 0, mostMegabytes: 0 }
  try {
    await ask(server.url, ...databases.map((name) => `CREATE DATABASE ${name} ENCODING 'UTF8' TEMPLATE template0`))
    const [there = '', again = ''] = databases.map((name) => server.url.replace(/\/postgres$/, `/${name}`))
    const [first, back] = ['first', 'back'].map((name) => `sqlite:${join(folder.path, `${name}.db`)}`) as [string, string]
    counts.rows = Number(await inProcess('build.ts', first, String(rounds)))
    report(`${counts.rows} rows are there after ${seconds(started)} s`)
    const killed = await inProcess('killed-move.ts', first, there).then(
      () => false,
      (error: { readonly signal?: string }) => error.signal === 'SIGKILL',
    )
    if (!killed) faults.push('the first move was not killed, so it shows nothing')
    const hashes: string[] = []
    for (const [from, to] of [
      [first, there],
      [there, back],
      [back, again],
    ] as const) {
      const begun = performance.now()
      const { answer: result, megabytes } = await strongroom<MoveAnswer>(folder.path, 'move', '--from', from, '--to', to)
      counts.moves++
      counts.resumed += Number(result.resumed)
      counts.slowestMoveSeconds = Math.max(counts.slowestMoveSeconds, seconds(begun))
      counts.mostMegabytes = Math.max(counts.mostMegabytes, megabytes)
      hashes.push(JSON.stringify(result.tables))
      const all = result.tables.reduce((sum, { rows }) => sum + rows, 0)
      if (all < counts.rows) faults.push(`move ${counts.moves} has brought ${all} of ${counts.rows} rows`)
      if (megabytes >= most) faults.push(`move ${counts.moves} took ${megabytes} MB; less than ${most} are promised`)
      const { answer: verdict } = await strongroom<VerifyAnswer>(folder.path, 'audit', 'verify', to)
      if (!verdict.ok) faults.push(`after move ${counts.moves} the log does not prove itself: ${JSON.stringify(verdict.fault)}`)
      counts.entries = verdict.entries
      report(`move ${counts.moves}: ${all} rows in ${seconds(begun)} s with its check of the log, ${megabytes} MB`)
    }
    if (new Set(hashes).size !== 1) faults.push('the moves have told different hashes')
    if (counts.resumed !== 1) faults.push(`${counts.resumed} moves went on with another one, where the first should have`)
  } finally {
    await server.stop()
    await folder.remove()
  }
  const roundsDone = Math.min(rounds, counts.rows)
  return {
    campaign: 'moves',
    engine: 'sqlite, postgres',
    seed,
    roundsAsked: rounds,
    roundsDone,
    counts,
    faults,
    duration: seconds(started),
  }
}

/** Runs one of the scripts of this folder on the built packages; answers what it has printed. */
function inProcess(script: string, ...words: readonly string[]): Promise<string> {
  return inNode(fileURLToPath(new URL(`./${script}`, import.meta.url)), ...words)
}

/** Runs the built command line, and answers its document, and the most memory that its process took. */
async function strongroom<Answer>(folder: string, ...words: readonly string[]): Promise<{ answer: Answer; megabytes: number }> {
  const note = join(folder, 'memory')
  const preload = `import { writeFileSync } from 'node:fs'
    process.on('exit', () => writeFileSync(${JSON.stringify(note)}, String(process.resourceUsage().maxRSS)))`
  const main = fileURLToPath(new URL('../../../cli/dist/main.js', import.meta.url))
  const printed = await inNode('--import', `data:text/javascript,${encodeURIComponent(preload)}`, main, ...words, '--json', '--quiet')
  // What it prints is described in docs/reference/cli.md. Linux counts in kilobytes.
  return { answer: JSON.parse(printed) as Answer, megabytes: Math.round(Number(await readFile(note, 'utf8')) / 1024) }
}

async function inNode(...words: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ['--no-warnings', ...words], {
    maxBuffer: 2 ** 24,
    env: { ...process.env, NODE_ENV: 'test', NODE_OPTIONS: '' },
  })
  return stdout
}

async function ask(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  for (const sql of statements) await client.query(sql)
  await client.end()
}
