import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What another program reads in the database. */
export interface StoredCounts {
  readonly counters: readonly { readonly id: number; readonly name: string; readonly value: number }[]
  readonly increments: readonly { readonly id: number; readonly key: string }[]
  readonly entries: readonly StoredEntry[]
}

interface StoredEntry {
  readonly component: string
  readonly record_id: string
  readonly operation: string
  readonly before: string | null
  readonly after: string | null
}

/** Reads the database in a process of its own, with Node's own SQLite or with node-postgres. */
export async function readCounts(url: string): Promise<StoredCounts> {
  const script = fileURLToPath(new URL('./read-counts.ts', import.meta.url))
  const options = { maxBuffer: 2 ** 30, env: { ...process.env, NODE_OPTIONS: '' } }
  const { stdout } = await run(process.execPath, ['--no-warnings', script, url], options)
  return JSON.parse(stdout) as StoredCounts
}

/** The counter holds as many as were acknowledged, each of which was told to one client, and its entries tell of each in turn. */
export function counterFaults(stored: StoredCounts, acknowledged: readonly number[]): string[] {
  const faults: string[] = []
  const [counter, ...others] = stored.counters
  if (!counter || others.length > 0) return [`there are ${stored.counters.length} counters where there should be one`]
  if (counter.value !== acknowledged.length) faults.push(`the counter holds ${counter.value}, ${acknowledged.length} were acknowledged`)
  const told = new Set(acknowledged)
  if (told.size < acknowledged.length) faults.push(`${acknowledged.length - told.size} values were acknowledged to more than one client`)
  const entries = stored.entries.filter((entry) => entry.component === 'counters')
  const steps = entries.map(({ operation, before, after }) => `${operation} ${valueIn(before)} to ${valueIn(after)}`)
  const wanted = ['create null to 0', ...acknowledged.map((_, index) => `update ${index} to ${index + 1}`)]
  if (steps.length !== wanted.length) faults.push(`the counter has ${steps.length} entries where ${wanted.length} are due`)
  const odd = steps.findIndex((step, index) => step !== wanted[index])
  if (odd >= 0) faults.push(`entry ${odd} of the counter says "${steps[odd]}" where "${wanted[odd]}" is due`)
  return faults
}

function valueIn(image: string | null): number | null {
  return image === null ? null : (JSON.parse(image) as { value: number }).value
}

/** Each key that was acknowledged has one row, which is the one that its client was told of, and one entry. There are no others. */
export function incrementFaults(stored: StoredCounts, acknowledged: ReadonlyMap<string, number>): string[] {
  const faults: string[] = []
  const rows = Map.groupBy(stored.increments, (row) => row.key)
  for (const [key, id] of acknowledged) {
    const found = rows.get(key) ?? []
    if (found.length !== 1) faults.push(`${key} was done ${found.length} times`)
    else if (found[0]?.id !== id) faults.push(`${key} was told of record ${id}, and is record ${found[0]?.id}`)
  }
  for (const key of rows.keys()) if (!acknowledged.has(key)) faults.push(`${key} was done and never acknowledged`)
  const entries = stored.entries.filter((entry) => entry.component === 'increments')
  const created = new Set(entries.filter((entry) => entry.operation === 'create').map((entry) => entry.record_id))
  if (entries.length !== stored.increments.length || stored.increments.some((row) => !created.has(String(row.id)))) {
    faults.push(`${stored.increments.length} increments have ${entries.length} entries, of which ${created.size} create a record`)
  }
  return faults
}
