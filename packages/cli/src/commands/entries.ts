import type { Given } from '../arguments/option.ts'
import { WrongUse } from '../faults.ts'
import { asRecord } from '../http/read-fault.ts'
import { table } from '../output/table.ts'
import { write } from '../output/write.ts'
import type { Document } from '../target/target.ts'
import type { Job } from './command.ts'

/** Entries when nobody says. */
export const defaultEntries = 100
/** Entries of a table that are laid out together, and lines of JSON that are written at once. */
const atATime = 500

/** The most entries, by `--limit`. */
export function readEntryLimit(given: Given): number {
  const value = given.text('limit')
  if (value === undefined) return defaultEntries
  const number = /^\d+$/.test(value) ? Number(value) : 0
  if (!Number.isSafeInteger(number) || number < 1) throw new WrongUse('--limit is a whole number from 1 on.')
  return number
}

/** Shows audit entries as they come: a table for people, or a line of JSON for each. */
export async function showEntries(job: Job, entries: AsyncIterable<Document>): Promise<void> {
  let batch: Document[] = []
  let found = false
  for await (const entry of entries) {
    batch.push(entry)
    if (batch.length < atATime) continue
    await show(job, batch)
    found = true
    batch = []
  }
  if (batch.length > 0 || !found) await show(job, batch)
}

async function show({ given, surroundings: { stdout, stderr } }: Job, entries: readonly Document[]): Promise<void> {
  if (given.has('json')) return write(stdout, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
  if (entries.length === 0) return given.has('quiet') ? undefined : write(stderr, 'There are no such entries.\n')
  const rows = entries.map((entry) => [
    String(entry['timestamp']),
    String(entry['actor']),
    String(entry['operation']),
    entry['record_id'] === null ? String(entry['component']) : `${entry['component']}/${entry['record_id']}`,
    changes(asRecord(entry['before']), asRecord(entry['after'])),
  ])
  return write(
    stdout,
    table(['TIME', 'ACTOR', 'OPERATION', 'RECORD', 'CHANGES'], rows, stdout.isTTY ? stdout.columns || undefined : undefined),
  )
}

/** `name: "Ada" → "Ada B."`; of a new or a removed record its fields. */
function changes(before: Document, after: Document): string {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const texts = names.flatMap((name) => {
    const [old, now] = [before[name], after[name]].map((value) => (value === undefined ? undefined : JSON.stringify(value)))
    if (old === now) return []
    if (old === undefined) return now === 'null' ? [] : [`${name}: ${now}`]
    return now === undefined ? (old === 'null' ? [] : [`${name}: ${old}`]) : [`${name}: ${old} → ${now}`]
  })
  return texts.join(', ')
}
