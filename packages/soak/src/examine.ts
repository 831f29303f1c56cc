import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Ledger } from './ledger.ts'

const run = promisify(execFile)

/** What another program reads in the file. */
export interface StoredState {
  readonly integrity: string
  readonly orphans: number
  readonly counters: readonly { readonly id: number; readonly name: string; readonly value: number }[]
  readonly entries: readonly {
    readonly record_id: string
    readonly operation: string
    readonly before: string | null
    readonly after: string | null
  }[]
}

/** Reads the database with a program that shares nothing with the server: Node's own SQLite, in a process of its own. */
export async function readStored(database: string): Promise<StoredState> {
  const script = fileURLToPath(new URL('./read-database.ts', import.meta.url))
  const { stdout } = await run(process.execPath, ['--no-warnings', script, database], {
    maxBuffer: 2 ** 30,
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  return JSON.parse(stdout) as StoredState
}

/** Everything that is wrong with what is stored, given what the writers were told. Empty means: every promise was kept. */
export function findFaults(ledger: Ledger, stored: StoredState): string[] {
  const faults: string[] = [...ledger.surprises]
  if (stored.integrity !== 'ok') faults.push(`integrity_check says ${stored.integrity}`)
  if (stored.orphans > 0) faults.push(`foreign_key_check finds ${stored.orphans} orphans`)
  const counters = new Map(stored.counters.map((counter) => [counter.name, counter]))
  for (const line of ledger.lines) {
    const counter = counters.get(line.name)
    const allowed = [line.acknowledged, line.inFlight]
    if (!counter) {
      if (line.acknowledged !== undefined) faults.push(`${line.name}: acknowledged, and not there`)
    } else if (!allowed.includes(counter.value)) {
      const why = line.refused.has(counter.value) ? 'which was reported as failed' : `but ${line.acknowledged} was acknowledged`
      faults.push(`${line.name}: holds ${counter.value}, ${why}`)
    }
  }
  return [...faults, ...entryFaults(stored)]
}

/** One entry for each write that is stored, and none besides: a record's entries lead to its value step by step. */
function entryFaults(stored: StoredState): string[] {
  const faults: string[] = []
  const byRecord = Map.groupBy(stored.entries, (entry) => entry.record_id)
  for (const counter of stored.counters) {
    const entries = byRecord.get(String(counter.id)) ?? []
    byRecord.delete(String(counter.id))
    const creates = entries.filter((entry) => entry.operation === 'create').length
    if (creates !== 1) faults.push(`${counter.name}: has ${creates} create entries`)
    let image: string | null = null
    for (const entry of entries) {
      if (entry.before !== image) faults.push(`${counter.name}: an entry begins where the one before did not end`)
      image = entry.after
    }
    const last = image === null ? undefined : (JSON.parse(image) as { value: number }).value
    if (last !== counter.value) faults.push(`${counter.name}: holds ${counter.value}, its last entry says ${last}`)
  }
  for (const record of byRecord.keys()) faults.push(`record ${record} has entries and no row`)
  return faults
}
