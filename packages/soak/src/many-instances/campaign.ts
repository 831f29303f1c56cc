import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { Agent } from 'node:http'
import { tempFolder } from '@strongroom/testkit'
import type { CountingOptions } from '../counting.ts'
import { counterFaults, incrementFaults, readCounts, type StoredCounts } from '../counts.ts'
import type { Evidence } from '../evidence.ts'
import { type Answer, type Ask, exchange } from '../exchange.ts'
import { seconds } from '../kills.ts'
import { seededRandom } from '../random.ts'
import { type ServerProcess, startServer } from '../server-process.ts'
import { backupsEvery } from './backups-every.ts'

const clients = 64

/** Counters that all clients share. */
const counters = 16

/** Milliseconds that the clients go on for the first backup. */
const longestWait = 30_000

/** What all clients have done. */
interface Done {
  /** The values that were acknowledged, by counter. */
  readonly values: Map<string, number[]>
  readonly records: Map<string, number>
  stale: number
  replayed: number
  underWay: number
  slowest: number
}

export interface InstancesOptions extends CountingOptions {
  /** Servers on the one database. */
  readonly instances: number
}

/**
 * Several servers on one database, and 64 clients for so many seconds (`rounds`), each of which takes any server for each request: counters
 * are read from one and written to another with If-Match, and records are sent to two at once with the same Idempotency-Key. No update is
 * lost, nothing is done twice, nobody is told that the database is busy, scheduled backups have one maker, and the log has all of it.
 */
export async function manyInstancesCampaign(options: InstancesOptions): Promise<Evidence> {
  const { engine, seed, rounds, url, instances, report = () => undefined } = options
  const started = performance.now()
  const faults: string[] = []
  const done: Done = { values: new Map(), records: new Map(), stale: 0, replayed: 0, underWay: 0, slowest: 0 }
  const backups = await tempFolder('instances')
  const script = new URL('./server.ts', import.meta.url)
  const servers: ServerProcess[] = []
  let worked = 0
  try {
    // All at once: they make the tables together.
    const starting = Array.from({ length: instances }, () => startServer(url, { script, variables: { BACKUPS: backups.path } }))
    for (const server of await Promise.all(starting)) servers.push(server)
    const paths = await makeCounters(servers[0]?.url ?? '')
    const begun = performance.now()
    const isOver = endOf(begun, rounds, servers[0]?.url ?? '')
    const timer = setInterval(() => report(`${Math.round((performance.now() - begun) / 1_000)} of ${rounds} s`), 10_000)
    await Promise.all(
      Array.from({ length: clients }, (_, index) =>
        runClient({ servers: servers.map((server) => server.url), paths, random: seededRandom(seed + index), done, faults, isOver }),
      ),
    )
    clearInterval(timer)
    worked = Math.floor((performance.now() - begun) / 1_000)
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
  const stored = await readCounts(url)
  faults.push(...countersFaults(stored, done.values), ...incrementFaults(stored, done.records))
  const kept = await keptBackups(backups.path)
  faults.push(...backupFaults(kept, Math.max(rounds, worked)))
  await backups.remove()
  const acknowledged = [...done.values.values()].reduce((sum, values) => sum + values.length, 0)
  for (const [what, times] of Object.entries({ stale: done.stale, replayed: done.replayed })) {
    if (times === 0) faults.push(`${what} is 0, so it shows nothing`)
  }
  const { stale, replayed, underWay, slowest } = done
  const counts = {
    instances,
    clients,
    incremented: acknowledged,
    inserted: done.records.size,
    stale,
    replayed,
    underWay,
    backups: kept.length,
    slowestAnswer: Math.round(slowest),
  }
  const roundsDone = Math.min(rounds, worked)
  return { campaign: 'many-instances', engine, seed, roundsAsked: rounds, roundsDone, counts, faults, duration: seconds(started) }
}

async function makeCounters(server: string): Promise<string[]> {
  const headers = { 'content-type': 'application/json', 'x-user': 'campaign' }
  const body = JSON.stringify(Array.from({ length: counters }, (_, index) => ({ name: `counter ${index}` })))
  const answer = await fetch(`${server}/counters`, { method: 'POST', headers, body })
  if (answer.status !== 201) throw new Error(`the counters were answered ${answer.status}`)
  return ((await answer.json()) as { id: number }[]).map(({ id }) => `/counters/${id}`)
}

interface Client {
  readonly servers: readonly string[]
  readonly paths: readonly string[]
  readonly random: () => number
  readonly done: Done
  readonly faults: string[]
  readonly isOver: () => Promise<boolean>
}

async function runClient(client: Client): Promise<void> {
  const agent = new Agent({ keepAlive: true })
  try {
    while (client.faults.length === 0 && !(await client.isOver())) {
      if (client.random() < 0.5) await increment(client, agent)
      else await insertTwice(client, agent)
    }
  } catch (error) {
    client.faults.push(error instanceof Error ? error.message : String(error))
  } finally {
    agent.destroy()
  }
}

const pick = <T>({ random }: Client, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T

async function ask({ done }: Client, agent: Agent, request: Ask): Promise<Answer> {
  const started = performance.now()
  const answer = await exchange(agent, request)
  done.slowest = Math.max(done.slowest, performance.now() - started)
  if (answer === undefined) throw new Error(`${request.method} ${request.url} got no answer`)
  return answer
}

function unexpected(answer: Answer, what: string): Error {
  return new Error(`${what} was answered ${answer.status}: ${JSON.stringify(answer.body)}`)
}

/** Reads a counter from one server and writes one more to another, anew as long as others are quicker. */
async function increment(client: Client, agent: Agent): Promise<void> {
  const path = pick(client, client.paths)
  for (;;) {
    const read = await ask(client, agent, { method: 'GET', url: pick(client, client.servers) + path })
    if (read.status !== 200) throw unexpected(read, 'a read')
    const value = (read.body as { value: number }).value + 1
    const headers = { 'if-match': String(read.headers['etag']) }
    const written = await ask(client, agent, { method: 'PUT', url: pick(client, client.servers) + path, headers, body: { value } })
    if (written.status === 412) {
      client.done.stale++
      continue
    }
    if (written.status !== 200 || (written.body as { value: number }).value !== value) throw unexpected(written, 'an update')
    const values = client.done.values.get(path) ?? []
    client.done.values.set(path, values)
    values.push(value)
    return
  }
}

/** Sends the same record with the same key to two servers at once, until both have said what came of it. */
async function insertTwice(client: Client, agent: Agent): Promise<void> {
  const key = randomUUID()
  const insert = async (server: string): Promise<number> => {
    for (;;) {
      const request = { method: 'POST', url: `${server}/increments`, headers: { 'idempotency-key': key }, body: { key } } as const
      const answer = await ask(client, agent, request)
      if (answer.status === 409 && (answer.body as { code?: unknown }).code === 'state_conflict') {
        client.done.underWay++
        continue
      }
      if (answer.status !== 201) throw unexpected(answer, 'an insert')
      if (answer.headers['idempotent-replayed'] === 'true') client.done.replayed++
      return (answer.body as { id: number }).id
    }
  }
  const [one, other] = await Promise.all([insert(pick(client, client.servers)), insert(pick(client, client.servers))])
  if (one !== other) throw new Error(`one key was told of the records ${one} and ${other}`)
  client.done.records.set(key, one)
}

function countersFaults(stored: StoredCounts, values: ReadonlyMap<string, readonly number[]>): string[] {
  return stored.counters.flatMap((counter) => {
    const entries = stored.entries.filter(({ component, record_id }) => component === 'counters' && record_id === String(counter.id))
    const own = { ...stored, counters: [counter], entries }
    return counterFaults(own, values.get(`/counters/${counter.id}`) ?? []).map((fault) => `${counter.name}: ${fault}`)
  })
}

/** After so many seconds, but not before the first backup: busy servers look late whether one is due. */
function endOf(begun: number, rounds: number, server: string): () => Promise<boolean> {
  return async () => {
    const worked = performance.now() - begun - rounds * 1_000
    return worked > 0 && (worked > longestWait || (await hasBackup(server)))
  }
}

/** Whether one is finished: a server that is stopped takes its file away while it verifies it. */
async function hasBackup(server: string): Promise<boolean> {
  const answer = await fetch(`${server}/db/backups`)
  if (answer.status !== 200) throw new Error(`the backups were answered ${answer.status}`)
  return ((await answer.json()) as { verified: boolean | null }[]).some(({ verified }) => verified === true)
}

/** When each was begun, in milliseconds, as its name tells. */
async function keptBackups(folder: string): Promise<number[]> {
  const times = (await readdir(folder)).flatMap((name) => {
    const [, year, month, day, hour, minute, second] = /^backup-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(name) ?? []
    return year === undefined ? [] : [Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)]
  })
  return times.toSorted((a, b) => a - b)
}

/** A second is how exactly a name tells it. */
function backupFaults(times: readonly number[], lasted: number): string[] {
  const close = times.filter((time, index) => index > 0 && time - (times[index - 1] ?? 0) < backupsEvery - 1_000)
  const faults = close.map((time) => `the backup of ${new Date(time).toISOString()} was made twice, or too soon`)
  // A server that is busy looks late whether one is due.
  const due = (lasted * 1_000) / backupsEvery
  if (times.length < due / 4 || times.length > due + 2) faults.push(`${times.length} backups were made in ${lasted} s`)
  return faults
}
