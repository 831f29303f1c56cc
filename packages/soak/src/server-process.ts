import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Milliseconds in which a start after `kill -9` is promised to be ready. */
export const promisedReady = 2_000

/** A server under test, in a process of its own. */
export interface ServerProcess {
  readonly url: string
  /** Milliseconds from the start of the process to its first answer on /ready. */
  readonly readyAfter: number
  /** The same without what its main thread has waited for a processor, as far as the system tells: what others had of the machine is no start of ours. */
  readonly ownReadyAfter: number
  /** Ends it at once, as a power cut would end the process. */
  kill(): Promise<void>
  stop(): Promise<void>
}

export interface ServerOptions {
  readonly maxPages?: number
  readonly wrapper?: readonly string[]
  /** Another server than the one of most campaigns. */
  readonly script?: URL
  /** Is given what the server prints after its URL. */
  readonly onLine?: (line: string) => void
  /** Environment variables, beside those of this process. */
  readonly variables?: Readonly<Record<string, string>>
}

/** Starts the built server (the packages' dist, not their sources), so that what is tested is what is shipped. `database` is a file or a URL. */
export async function startServer(database: string, options: ServerOptions = {}): Promise<ServerProcess> {
  const script = fileURLToPath(options.script ?? new URL('./server.ts', import.meta.url))
  const server = [process.execPath, script, database, ...(options.maxPages === undefined ? [] : [String(options.maxPages)])]
  const [command = '', ...words] = [...(options.wrapper ?? []), ...server]
  const started = performance.now()
  const env = { ...process.env, NODE_ENV: 'test', NODE_OPTIONS: '', ...options.variables }
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'], env })
  const lines = createInterface(child.stdout)
  const [url] = (await Promise.race([once(lines, 'line'), earlyExit(child)])) as [string]
  if (options.onLine) lines.on('line', options.onLine)
  const ready = await fetch(`${url}/ready`)
  if (ready.status !== 200) throw new Error(`/ready answered ${ready.status}`)
  const readyAfter = performance.now() - started
  return {
    url,
    readyAfter,
    ownReadyAfter: readyAfter - waitedForProcessor(child.pid),
    kill: () => end(child, 'SIGKILL'),
    stop: () => end(child, 'SIGTERM'),
  }
}

/** Milliseconds that the main thread of a process has been ready to run and did not: Linux alone tells (Documentation/scheduler/sched-stats.rst). */
function waitedForProcessor(pid: number | undefined): number {
  if (process.platform !== 'linux') return 0
  const [, waited] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')
  return Number(waited) / 1e6
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

async function earlyExit(child: ChildProcess): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null]
  throw new Error(`the server ended with ${code} before it listened`)
}
