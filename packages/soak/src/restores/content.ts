import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What another program reads in a database. */
export interface Content {
  /** Of the file itself: integrity, orphans. */
  readonly faults: readonly string[]
  readonly things: number
  /** Over all that the things hold. */
  readonly hash: string
  readonly notes: readonly string[]
  /** The notes whose making stands in the log. */
  readonly noteEntries: readonly string[]
  /** How many entries the log has. */
  readonly entries: number
  /** The requests of the restores that stand in the log. */
  readonly restores: readonly string[]
  /** Entries that were written after the last restore and tell another epoch than the log's head. */
  readonly oldEpochs: number
  readonly epoch: number
}

/** Reads a file, or a schema of a server, in a process of its own, with Node's own SQLite or with node-postgres. */
export async function readContent(place: string, schema = ''): Promise<Content> {
  const script = fileURLToPath(new URL('./read-content.ts', import.meta.url))
  const options = { maxBuffer: 2 ** 30, env: { ...process.env, NODE_OPTIONS: '' } }
  const { stdout } = await run(process.execPath, ['--no-warnings', script, place, schema], options)
  return JSON.parse(stdout) as Content
}
