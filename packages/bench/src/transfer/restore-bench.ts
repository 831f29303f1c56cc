import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { onPostgres } from '../on-postgres.ts'
import { restoreFile } from '../operators/files-over-http.ts'
import { vitalsOf } from '../operators/server-vitals.ts'
import { startServer } from '../server-process.ts'

/** Bytes of a file that is restored before anything is measured: code that is run for the first time grows the memory, however small a file is. */
const firstBytes = 20_000_000

/** Milliseconds until a server that has started is at rest. */
const settling = 2_000

/** What a restore may add to the memory of the server's process, in MiB. */
const goal = 100

export interface RestoreOptions {
  /** Of the file that is restored. */
  readonly bytes: number
  readonly engines: readonly string[]
  readonly report: (line: string) => void
}

/** The upload of a large file and its restore, into a server that has restored a small one: by how much its process grows. */
export async function restoreBench(folder: string, { bytes, engines, report }: RestoreOptions) {
  const build = async (name: string, size: number): Promise<string> => {
    const file = join(folder, name)
    report(`building a file of ${size} bytes`)
    const seed = fileURLToPath(new URL('../operators/seed-documents.ts', import.meta.url))
    await promisify(execFile)(process.execPath, [seed, `sqlite:${file}`, String(size)])
    return file
  }
  const files: Files = { first: await build('first.sqlite', firstBytes), large: await build('large.sqlite', bytes) }
  const results: Awaited<ReturnType<typeof restoreInto>>[] = []
  if (engines.includes('sqlite')) results.push(await restoreInto('sqlite', `sqlite:${join(folder, 'live.db')}`, files))
  if (engines.includes('postgres')) await onPostgres('restore', async (url) => void results.push(await restoreInto('postgres', url, files)))
  return { engine: engines.join(', '), fileBytes: statSync(files.large).size, goalMegabytes: goal, results }
}

interface Files {
  readonly first: string
  readonly large: string
}

async function restoreInto(engine: string, database: string, { first, large }: Files) {
  const server = await startServer('operators-server', database, { built: true })
  try {
    await restoreFile(server.url, first)
    await pause(settling)
    await vitalsOf(server.url)
    await pause(settling)
    const before = await vitalsOf(server.url)
    const start = performance.now()
    await restoreFile(server.url, large)
    const seconds = Number(((performance.now() - start) / 1_000).toFixed(1))
    const { rss, ownStall } = await vitalsOf(server.url)
    const growthMegabytes = Math.round((rss - before.rss) / 1_048_576)
    return {
      engine,
      seconds,
      idleMegabytes: Math.round(before.rss / 1_048_576),
      growthMegabytes,
      longestOwnStall: Math.round(ownStall),
      met: growthMegabytes < goal,
    }
  } finally {
    await server.stop()
  }
}
