import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { tempFolder } from '@strongroom/testkit'
import type { CountingOptions } from '../counting.ts'
import type { Evidence } from '../evidence.ts'
import { exchange } from '../exchange.ts'
import { seconds } from '../kills.ts'
import { seededRandom } from '../random.ts'
import { upload } from '../restores/upload.ts'
import { startServer } from '../server-process.ts'
import { ReaderProcess, type Told } from './reader-process.ts'

const readers = 8
const writers = 32

/** Milliseconds between two kills, at least and at most: a process needs some to begin. */
const killAfter = { least: 60, most: 250 }

/** Milliseconds in which readers have to come to the end of the log when nobody writes or kills any more. */
const patience = 120_000

interface Counts {
  acknowledged: number
  refused: number
  kills: number
  /** Restores that found everything locked for too long, and were asked for again. */
  busyRestores: number
  resets: number
}

/**
 * 8 readers of the feed that are killed and begun again at random, while 32 clients write and the database is restored: each is told every
 * change exactly once, in order, and of the restore once. A round is a write that was answered.
 */
export async function changesCampaign(options: CountingOptions): Promise<Evidence> {
  const { engine, seed, rounds, url, report } = options
  const started = performance.now()
  const random = seededRandom(seed)
  const faults: string[] = []
  const counts: Counts = { acknowledged: 0, refused: 0, kills: 0, busyRestores: 0, resets: 0 }
  const folder = await tempFolder('changes')
  const server = await startServer(url)
  const following = Array.from({ length: readers }, (_none, index) => {
    const kind = index % 4 === 3 ? 'poll' : 'client'
    return new ReaderProcess(`${kind} ${index}`, server.url, join(folder.path, `reader-${index}`), kind)
  })
  let told: Told[][] = []
  let log: LogEntry[] = []
  try {
    for (const reader of following) reader.start()
    const killing = new AbortController()
    const killer = killAtRandom(following, random, counts, killing.signal)
    const backup = join(folder.path, 'backup.sqlite')
    await write(options, server.url, rounds / 3, random, counts)
    await writeFile(backup, Buffer.from(await (await fetch(`${server.url}/db/backup.sqlite`)).arrayBuffer()))
    report?.(`${counts.acknowledged} of ${rounds} written, ${counts.kills} kills`)
    const writing = write(options, server.url, rounds / 3, random, counts)
    await pause(500)
    await restore(server.url, backup, counts, faults)
    await writing
    report?.(`${counts.acknowledged} of ${rounds} written, ${counts.kills} kills`)
    await write(options, server.url, rounds - counts.acknowledged, random, counts)
    killing.abort()
    await killer
    log = await sealedLog(server.url, url)
    await arrived(following, log, faults)
    told = following.map((reader) => reader.told())
    for (const reader of following) if (reader.hasFailed) faults.push(`${reader.name} ended by itself`)
  } finally {
    await Promise.all(following.map((reader) => reader.kill()))
    await server.stop()
    await folder.remove()
  }
  for (const [index, lines] of told.entries()) {
    counts.resets += lines.filter(({ what }) => what === 'reset').length
    faults.push(...readerFaults(lines, log).map((fault) => `reader ${index}: ${fault}`))
  }
  const events = told.reduce((sum, lines) => sum + lines.length, 0)
  return {
    campaign: 'changes',
    engine,
    seed,
    roundsAsked: rounds,
    roundsDone: counts.acknowledged,
    counts: { readers, writers, ...counts, events, entries: log.length },
    neverZero: ['kills', 'resets', 'events'],
    faults,
    duration: seconds(started),
  }
}

/** Clients write, each over a connection of its own, until so many writes are acknowledged. */
async function write({ seed }: CountingOptions, server: string, wanted: number, random: () => number, counts: Counts): Promise<void> {
  const end = counts.acknowledged + Math.ceil(wanted)
  const client = async (name: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    let record: number | undefined
    for (let count = 0; counts.acknowledged < end; count++) {
      const isUpdate = record !== undefined && random() < 0.4
      const answer = await exchange(agent, {
        method: isUpdate ? 'PUT' : 'POST',
        url: `${server}/increments${isUpdate ? `/${record}` : ''}`,
        body: { key: `${seed}-${name}-${count}-${end}` },
      })
      if (answer?.status === 200 || answer?.status === 201) {
        counts.acknowledged++
        record = (answer.body as { readonly id: number }).id
        continue
      }
      // While the database is restored, and for a record that is gone with what was restored.
      counts.refused++
      record = undefined
      await pause(5)
    }
    agent.destroy()
  }
  await Promise.all(Array.from({ length: writers }, (_none, name) => client(name)))
}

async function restore(server: string, backup: string, counts: Counts, faults: string[]): Promise<void> {
  for (let tries = 0; tries < 10; tries++) {
    const answer = await upload(`${server}/db/restore`, backup, 'restore')
    if (answer?.status === 200) return
    if (answer?.status !== 503) return void faults.push(`the restore was answered ${answer?.status}: ${JSON.stringify(answer?.body)}`)
    counts.busyRestores++
  }
  faults.push('the restore was answered 503 ten times')
}

async function killAtRandom(following: readonly ReaderProcess[], random: () => number, counts: Counts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(killAfter.least + random() * (killAfter.most - killAfter.least))
    const reader = following[Math.floor(random() * following.length)]
    await reader?.kill()
    counts.kills++
    reader?.start()
  }
}

interface LogEntry {
  readonly position: number
  readonly id: number
}

/** The log when all of it has positions: what stands in the database, read by nothing of ours. */
async function sealedLog(server: string, url: string): Promise<LogEntry[]> {
  for (;;) {
    const [newest] = (await (await fetch(`${server}/db/audit?limit=1`)).json()) as { readonly sealed: boolean }[]
    if (newest?.sealed) break
    await pause(100)
  }
  const script = fileURLToPath(new URL('./read-log.ts', import.meta.url))
  const text = execFileSync(process.execPath, [script, url], { encoding: 'utf8', maxBuffer: 2 ** 30 })
  return JSON.parse(text) as LogEntry[]
}

/** Waits until every reader has come to the end of the log. */
async function arrived(following: readonly ReaderProcess[], log: readonly LogEntry[], faults: string[]): Promise<void> {
  const last = log.at(-1)?.position
  const until = performance.now() + patience
  for (const reader of following) {
    while (reader.told().at(-1)?.position !== last) {
      if (performance.now() > until) {
        faults.push(`${reader.name} came to ${reader.told().at(-1)?.position} of ${last}`)
        break
      }
      await pause(100)
    }
  }
}

/**
 * What a reader was told before the restore are the first positions of the log, one after the other; then comes the restore, once; then
 * everything that the log has after the place at which the reader stood. Positions have no gaps but the one that a restore leaves.
 */
export function readerFaults(lines: readonly Told[], log: readonly LogEntry[]): string[] {
  const faults: string[] = []
  const at = lines.findIndex(({ what }) => what === 'reset')
  const before = lines.slice(0, at)
  const after = lines.slice(at + 1)
  if (at < 0) return ['was not told of the restore']
  if (after.some(({ what }) => what === 'reset')) faults.push('was told of the restore more than once')
  const wrong = before.findIndex(({ position, epoch }, index) => position !== index + 1 || epoch !== 1)
  if (wrong >= 0) faults.push(`was told position ${before[wrong]?.position} where ${wrong + 1} was next`)
  const stood = before.length
  const rest = log.filter(({ position }) => position > stood)
  if (rest.length !== after.length) faults.push(`was told ${after.length} changes after the restore, where there are ${rest.length}`)
  const other = after.findIndex(({ position, entry, epoch }, index) => {
    const wanted = rest[index]
    return position !== wanted?.position || entry !== wanted.id || epoch !== 2
  })
  if (other >= 0) faults.push(`was told ${JSON.stringify(after[other])} where ${JSON.stringify(rest[other])} was next`)
  const kept = new Map(log.map(({ position, id }) => [position, id]))
  const strange = before.find(({ position, entry }) => position <= Math.min(stood, firstGap(log)) && kept.get(position) !== entry)
  if (strange) faults.push(`was told ${JSON.stringify(strange)}, which the log does not have`)
  return faults
}

/** The last position before the one that a restore left out. */
function firstGap(log: readonly LogEntry[]): number {
  const at = log.findIndex(({ position }, index) => position !== index + 1)
  return at < 0 ? log.length : at
}
