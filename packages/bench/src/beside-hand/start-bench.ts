import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { median } from '../statistics.ts'

/** Milliseconds from the start of the quickstart's process to its first answer, with a database that is there. */
export interface StartFound {
  readonly what: string
  readonly milliseconds: number
  readonly least: number
  readonly greatest: number
  readonly rounds: number
  readonly goal: number
}

const goal = 300

/** How the quickstart is run: by `npm start` out of its sources, and by users of the packages, as `npm run bundle` makes them. */
const ways = [
  { what: 'out of the sources', node: ['--conditions=strongroom-source'] },
  { what: 'with the packages as they are published', node: ['--conditions=strongroom-published'] },
] as const

export async function startBench(folder: string, rounds: number, report: (line: string) => void): Promise<StartFound[]> {
  const database = join(folder, 'quickstart.db')
  // The first start makes the tables and loads the files.
  await start(database, [], async (child) => void (await once(child.stdout, 'data')))
  const found: StartFound[] = []
  for (const { what, node } of ways) {
    const times: number[] = []
    for (let round = 0; round < rounds; round++) times.push(await start(database, node, answered))
    const [least, greatest] = [Math.min(...times), Math.max(...times)]
    report(`start of the quickstart, ${what}: ${Math.round(median(times))} ms (${Math.round(least)}–${Math.round(greatest)})`)
    found.push({ what, milliseconds: median(times), least, greatest, rounds, goal })
  }
  return found
}

type Started = ChildProcessByStdio<null, Readable, null>

/** Milliseconds until the quickstart is as far as `until` waits for; it is ended then. */
async function start(database: string, node: readonly string[], until: (child: Started, port: number) => Promise<void>): Promise<number> {
  const port = await freePort()
  const started = performance.now()
  const child = spawn(process.execPath, [...node, 'src/main.js'], {
    cwd: fileURLToPath(new URL('../../../../examples/quickstart/', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PORT: String(port), DATABASE_URL: `sqlite:${database}`, NODE_ENV: 'development', NODE_OPTIONS: '' },
  })
  const exited = once(child, 'exit')
  try {
    await Promise.race([
      until(child, port),
      exited.then(([code]) => Promise.reject(new Error(`the quickstart ended with ${String(code)}`))),
    ])
    return performance.now() - started
  } finally {
    child.kill('SIGTERM')
    await exited
  }
}

async function answered(_child: Started, port: number): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/navaids?limit=1`).catch(() => undefined)
    if (answer?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('a server that listens has an address')
  return address.port
}
