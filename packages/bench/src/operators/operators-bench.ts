import { type ChildProcess, execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, createReadStream, createWriteStream, existsSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Beats } from '../heartbeat.ts'
import { startServer } from '../server-process.ts'
import { median } from '../statistics.ts'
import type { ClientsAnswer, ClientsQuestion, KindReport, WindowReport } from './client-messages.ts'

/** Milliseconds of load before anything is measured. */
const warmUp = 10_000

const run = promisify(execFile)

export interface OperatorsOptions {
  /** Bytes of the database. */
  readonly bytes: number
  /** A file that was built before, or is built there and kept. */
  readonly database: string
  readonly clients: number
  /** Milliseconds between a client's answer and its next request. */
  readonly thinkTime: number
  /** Seconds of a window in which nothing but the load happens. */
  readonly seconds: number
  readonly rounds: number
  readonly report: (line: string) => void
}

interface Vitals extends Beats {
  /** Bytes of memory, and of the write-ahead log, at most. */
  readonly rss: number
  readonly log: number
}

/** A stretch of time with the load, and what else was done meanwhile. */
interface Window {
  readonly what: string
  readonly seconds: number
  readonly clients: WindowReport
  readonly vitals: Vitals
  readonly found?: unknown
}

const scripts = {
  clients: fileURLToPath(new URL('./clients.ts', import.meta.url)),
  check: fileURLToPath(new URL('./check-backup.ts', import.meta.url)),
  seed: fileURLToPath(new URL('./seed-documents.ts', import.meta.url)),
}

/** Makes a backup, an export and a restore of a large database, each to its end, while clients write and read. */
export async function operatorsBench(folder: string, options: OperatorsOptions) {
  const { report } = options
  if (!existsSync(options.database)) {
    report(`building ${options.database}`)
    await run(process.execPath, [scripts.seed, options.database, String(options.bytes)])
  }
  const file = join(folder, 'app.db')
  copyFileSync(options.database, file)
  const server = await startServer('operators-server', `sqlite:${file}`, { built: true })
  const clients = new Clients(server.url, options)
  try {
    // Code that is run for the first time is slow, and grows the memory.
    await pause(warmUp)
    const windows: Window[] = []
    const during = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      const window = await measure(clients, server.url, what, work)
      windows.push(window)
      report(lineOf(window))
    }
    const nothing = (): Promise<void> => pause(options.seconds * 1_000)
    for (let round = 0; round < options.rounds; round++) {
      await during('none', nothing)
      const backup = join(folder, 'backup.sqlite')
      const known = join(folder, 'acknowledged.json')
      writeFileSync(known, JSON.stringify(await clients.acknowledged()))
      await during('backup', () => download(`${server.url}/db/backup.sqlite`, backup))
      await during('after the backup', () => pause(3_000))
      const check = JSON.parse((await run(process.execPath, [scripts.check, backup, known])).stdout)
      report(`the backup: ${JSON.stringify(check)}`)
      Object.assign(windows.at(-2) ?? {}, { found: check })
      await during('none', nothing)
      await during('export', () => download(`${server.url}/db/export.zip`, join(folder, 'export.zip')))
      await during('after the export', () => pause(3_000))
      await during('none', nothing)
      await during('restore', () => upload(`${server.url}/db/restore`, backup))
      await during('after the restore', () => pause(3_000))
    }
    return { databaseBytes: statSync(options.database).size, ...summary(windows), windows }
  } finally {
    await clients.end()
    await server.stop()
  }
}

async function measure(clients: Clients, url: string, what: string, work: () => Promise<unknown>): Promise<Window> {
  await clients.window()
  await vitalsOf(url)
  const start = performance.now()
  const found = await work()
  const seconds = (performance.now() - start) / 1_000
  const vitals = await vitalsOf(url)
  return { what, seconds, clients: await clients.window(), vitals, ...(found !== undefined && { found }) }
}

async function vitalsOf(url: string): Promise<Vitals> {
  const answer = await fetch(`${url}/vitals`)
  // The server of this bench answers it.
  return (await answer.json()) as Vitals
}

async function download(url: string, target: string): Promise<{ bytes: number }> {
  const [response] = await once(request(url).end(), 'response')
  if (response.statusCode !== 200) throw new Error(`${url} was answered ${response.statusCode}`)
  await pipeline(response, createWriteStream(target))
  return { bytes: statSync(target).size }
}

async function upload(url: string, file: string): Promise<{ restored: boolean }> {
  const headers = { 'content-type': 'application/octet-stream', 'content-length': statSync(file).size, 'x-user': 'bench' }
  const sent = request(url, { method: 'POST', headers })
  const answered = once(sent, 'response')
  await pipeline(createReadStream(file), sent)
  const [response] = await answered
  const text = Buffer.concat(await response.toArray()).toString()
  if (response.statusCode !== 200) throw new Error(`the restore was answered ${response.statusCode}: ${text}`)
  return { restored: JSON.parse(text).restored }
}

/** The process of the clients. */
class Clients {
  readonly #process: ChildProcess

  constructor(url: string, { clients, thinkTime }: OperatorsOptions) {
    this.#process = fork(scripts.clients, [url, String(clients), String(clients), '100000', String(thinkTime)])
  }

  async window(): Promise<WindowReport> {
    return (await this.#ask('window')) as WindowReport
  }

  async acknowledged(): Promise<readonly (readonly number[])[]> {
    const answer = await this.#ask('acknowledged')
    return 'acknowledged' in answer ? answer.acknowledged : []
  }

  async end(): Promise<void> {
    if (!this.#process.connected) return
    const exited = once(this.#process, 'exit')
    this.#process.send('end' satisfies ClientsQuestion)
    await exited
  }

  async #ask(question: ClientsQuestion): Promise<ClientsAnswer> {
    const answered = once(this.#process, 'message')
    this.#process.send(question)
    const [answer] = await answered
    return answer
  }
}

const megabytes = (bytes: number): number => Math.round(bytes / 1_048_576)
const shown = ({ requests, p50, p99, longest, refused }: KindReport, seconds: number): string =>
  `${Math.round(requests / seconds)}/s p50 ${p50.toFixed(1)} p99 ${p99.toFixed(1)} longest ${longest.toFixed(0)} ms ${JSON.stringify(refused)}`

function lineOf({ what, seconds, clients, vitals, found }: Window): string {
  return [
    `${what}: ${seconds.toFixed(1)} s`,
    `writes ${shown(clients.write, seconds)}`,
    `reads ${shown(clients.read, seconds)}`,
    `stall ${vitals.stall.toFixed(0)} ms, of its own ${vitals.ownStall.toFixed(0)} of which blocked ${vitals.blocked.toFixed(0)}, RSS ${megabytes(vitals.rss)} MB, log ${megabytes(vitals.log)} MB`,
    ...(found === undefined ? [] : [JSON.stringify(found)]),
  ].join('; ')
}

/** Each deed beside the window of nothing before it. */
function summary(windows: readonly Window[]) {
  const pairs = windows.flatMap((window, index) => {
    const before = windows.slice(0, index).findLast(({ what }) => what === 'none')
    return before && window.what !== 'none' ? [{ before, window }] : []
  })
  const results = [...new Set(pairs.map(({ window }) => window.what))].map((what) => {
    const own = pairs.filter(({ window }) => window.what === what)
    const middle = (value: (pair: (typeof own)[number]) => number): number => Number(median(own.map(value)).toFixed(3))
    return {
      what,
      seconds: middle(({ window }) => window.seconds),
      writeP99: middle(({ window }) => window.clients.write.p99),
      writeP99Ratio: middle(({ window, before }) => window.clients.write.p99 / before.clients.write.p99),
      readP99: middle(({ window }) => window.clients.read.p99),
      readP99Ratio: middle(({ window, before }) => window.clients.read.p99 / before.clients.read.p99),
      longestStall: Math.max(...own.map(({ window }) => window.vitals.stall)),
      longestOwnStall: Math.max(...own.map(({ window }) => window.vitals.ownStall)),
      rssGrowthMegabytes: Math.max(...own.map(({ window, before }) => megabytes(window.vitals.rss - before.vitals.rss))),
      logMegabytes: Math.max(...own.map(({ window }) => megabytes(window.vitals.log))),
    }
  })
  return { results }
}
