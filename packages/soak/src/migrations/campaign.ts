import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { CountingOptions } from '../counting.ts'
import type { Evidence } from '../evidence.ts'
import { seconds } from '../kills.ts'
import { seededRandom } from '../random.ts'
import { versionOf } from './examine-version.ts'
import { Origin } from './prepare.ts'
import { last, versions } from './versions.ts'

export interface MigrationsOptions extends CountingOptions {
  /** Records of the table while kills come after each statement. */
  readonly rows: number
  /** Records of the large table, which is killed at random moments; none unless said. */
  readonly largeRows?: number
  /** Such kills. */
  readonly largeRounds?: number
}

/**
 * `kill -9` after every writing statement of two migrations and of what a start does by itself: the database is of one version, whole, with the
 * records of exactly what was done, and the next start brings it to the last one. With fewer rounds than statements they are spread.
 */
export async function migrationsCampaign(options: MigrationsOptions): Promise<Evidence> {
  const { engine, url, rounds, seed, rows, report = () => undefined } = options
  const started = performance.now()
  const faults: string[] = []
  const counts: Record<string, number> = Object.fromEntries([...versions.keys()].map((version) => [`left in version ${version}`, 0]))
  const origin = new Origin(url, rows)
  await origin.reset()
  const statements = Number((await migrate(url, {})).output)
  counts['statements of a whole run'] = statements
  const points = killPoints(rounds, statements, seed)
  let done = 0
  for (const point of points) {
    await origin.reset()
    await killOnce({ url, rows, faults, counts, story: `after statement ${point}` }, { killAfter: point })
    done++
    report(`kill ${done}/${points.length} after statement ${point} of ${statements}, ${faults.length} faults so far`)
  }
  const large = await killLarge(options, faults, counts, report)
  return {
    campaign: 'migrations',
    engine,
    seed,
    roundsAsked: points.length + (options.largeRounds ?? 0),
    roundsDone: done + large.done,
    counts,
    faults,
    duration: seconds(started),
    details: { rows, ...large.details },
  }
}

/** All statements where there are rounds enough for them, else some from all over. */
function killPoints(rounds: number, statements: number, seed: number): number[] {
  if (rounds >= statements) return Array.from({ length: statements }, (_, index) => index + 1)
  const random = seededRandom(seed)
  return Array.from({ length: rounds }, (_, index) => Math.floor(((index + random()) * statements) / rounds) + 1)
}

interface Kill {
  readonly url: string
  readonly rows: number
  readonly faults: string[]
  readonly counts: Record<string, number>
  readonly story: string
}

/** Milliseconds after which it is killed from outside, or statements after which it kills itself. */
interface Moment {
  readonly killAfter?: number
  readonly milliseconds?: number
}

async function killOnce({ url, rows, faults, counts, story }: Kill, moment: Moment): Promise<void> {
  const found: string[] = []
  const { signal } = await migrate(url, moment)
  if (signal !== 'SIGKILL' && moment.killAfter !== undefined) found.push('it was not killed')
  const version = await versionOf(url, rows, found)
  const name = `left in version ${version}`
  counts[name] = (counts[name] ?? 0) + 1
  const { output } = await migrate(url, {})
  if (output === '') found.push('the next start failed')
  else if ((await versionOf(url, rows, found)) !== last) found.push('the next start did not bring it to the last version')
  faults.push(...found.map((fault) => `killed ${story}: ${fault}`))
}

async function killLarge(
  { url, seed, largeRows = 0, largeRounds = 0 }: MigrationsOptions,
  faults: string[],
  counts: Record<string, number>,
  report: (line: string) => void,
): Promise<{ readonly done: number; readonly details: Readonly<Record<string, unknown>> }> {
  if (largeRows === 0) return { done: 0, details: {} }
  const origin = new Origin(url, largeRows)
  await origin.reset()
  report(`a table of ${largeRows} records is there`)
  const start = performance.now()
  const { output } = await migrate(url, {})
  const whole = performance.now() - start
  if (output === '' || (await versionOf(url, largeRows, faults)) !== last) faults.push('the large table was not migrated')
  report(`the large table was migrated in ${Math.round(whole)} ms`)
  const random = seededRandom(seed)
  let done = 0
  for (; done < largeRounds; done++) {
    await origin.reset()
    // From the beginning to the end, with something random in it.
    const milliseconds = ((done + random()) * whole) / largeRounds
    await killOnce({ url, rows: largeRows, faults, counts, story: `after ${Math.round(milliseconds)} ms` }, { milliseconds })
    report(`large kill ${done + 1}/${largeRounds} after ${Math.round(milliseconds)} ms, ${faults.length} faults so far`)
  }
  return { done, details: { largeRows, largeMilliseconds: Math.round(whole) } }
}

/** Runs the program on the built packages, in a process of its own; it may come to a bad end. */
async function migrate(
  url: string,
  { killAfter = 0, milliseconds }: Moment,
): Promise<{ readonly output: string; readonly signal: string | null }> {
  const program = fileURLToPath(new URL('./program.ts', import.meta.url))
  const env = { ...process.env, NODE_ENV: 'test', NODE_OPTIONS: '' }
  const child = spawn(process.execPath, [program, url, String(killAfter)], { stdio: ['ignore', 'pipe', 'inherit'], env })
  const timer = milliseconds === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), milliseconds)
  const [output, [, signal]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number | null, string | null]>])
  clearTimeout(timer)
  return { output: output.trim(), signal }
}
