import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type ServerProcess, startServer } from './server-process.ts'
import type { Pairing } from './statistics.ts'

const run = promisify(execFile)
const connections = 64
const seeded = 60_000

interface LoadResult {
  readonly perSecond: number
  readonly failed: number
  readonly next: number
}

/** The same requests against both servers, in turn. Answers requests per second that were answered 2xx. */
export async function httpBench(folder: string, rounds: number, seconds: number): Promise<Pairing[]> {
  const ours = await startServer('strongroom-server', join(folder, 'strongroom-http.db'))
  const theirs = await startServer('hand-server', join(folder, 'hand-http.db'))
  try {
    for (const server of [ours, theirs]) await seed(server)
    await sameBytes(ours, theirs)
    const pairings: Pairing[] = []
    for (const operation of ['get', 'list', 'post', 'put', 'delete']) {
      pairings.push({ what: `http: ${operation}`, unit: 'requests/s', rounds: await pairedLoads(ours, theirs, operation, rounds, seconds) })
    }
    return pairings
  } finally {
    await ours.stop()
    await theirs.stop()
  }
}

async function pairedLoads(
  ours: ServerProcess,
  theirs: ServerProcess,
  operation: string,
  rounds: number,
  seconds: number,
): Promise<[number, number][]> {
  const results: [number, number][] = []
  // Deletes walk through the seeded records; posts number new ones.
  const position = { ours: operation === 'delete' ? 6_000 : 1_000_000, theirs: operation === 'delete' ? 6_000 : 1_000_000 }
  for (let round = -1; round < rounds; round++) {
    const a = await load(ours, operation, seconds, position.ours)
    const b = await load(theirs, operation, seconds, position.theirs)
    position.ours = a.next
    position.theirs = b.next
    if (round >= 0) results.push([a.perSecond, b.perSecond])
  }
  return results
}

async function load(server: ServerProcess, operation: string, seconds: number, start: number): Promise<LoadResult> {
  const script = fileURLToPath(new URL('./load.ts', import.meta.url))
  const { stdout } = await run(process.execPath, [script, server.url, operation, String(connections), String(seconds), String(start)])
  const result = JSON.parse(stdout) as LoadResult
  if (result.failed > 0) throw new Error(`${result.failed} of the ${operation} requests failed; a fast wrong answer does not count`)
  return result
}

async function seed(server: ServerProcess): Promise<void> {
  const post = async (index: number): Promise<void> => {
    const body = JSON.stringify({ name: `Person ${index}`, email: `person${index}@example.com`, age: index % 100 })
    const answer = await fetch(`${server.url}/users`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'x-user': 'bench' },
    })
    if (answer.status !== 201) throw new Error(`seeding was answered ${answer.status}: ${await answer.text()}`)
    await answer.arrayBuffer()
  }
  for (let index = 0; index < seeded; index += 64)
    await Promise.all(Array.from({ length: Math.min(64, seeded - index) }, (_, member) => post(index + member)))
}

/** Both sides must answer the same bytes, but for the instants at which each was seeded. */
async function sameBytes(ours: ServerProcess, theirs: ServerProcess): Promise<void> {
  for (const path of ['/users/17', '/users?limit=100&offset=200&count=none']) {
    const [a, b] = await Promise.all([ours, theirs].map(async (server) => normalise(await (await fetch(`${server.url}${path}`)).text())))
    if (a !== b) throw new Error(`the servers answer ${path} differently:\n${a?.slice(0, 300)}\n${b?.slice(0, 300)}`)
  }
}

/** Seeding is concurrent, so which person has which id, and when, differs; the shape must not. */
function normalise(text: string): string {
  return text
    .replaceAll(/"created_at":"[^"]{24}"/g, '"created_at":"…"')
    .replaceAll(/Person \d+/g, 'Person')
    .replaceAll(/person\d+@/g, 'person@')
    .replaceAll(/"age":\d+/g, '"age":0')
}
