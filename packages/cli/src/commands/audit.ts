import { auditOperations } from '@strongroom/core'
import { readInstant } from '../arguments/instant.ts'
import type { Given } from '../arguments/option.ts'
import { oneOf } from '../arguments/read-arguments.ts'
import { accessors, header } from '../arguments/shared-options.ts'
import { WrongUse } from '../faults.ts'
import { asRecord } from '../http/read-fault.ts'
import { table } from '../output/table.ts'
import { write } from '../output/write.ts'
import type { AuditFilter, Document } from '../target/target.ts'
import type { Command, Job } from './command.ts'
import { withTarget } from './with-target.ts'

/** Entries when nobody says. */
const defaultLimit = 100
/** Entries of a table that are laid out together, and lines of JSON that are written at once. */
const atATime = 500

export const audit: Command = {
  name: 'audit',
  usage: '[TARGET]',
  summary: 'Reads the audit log, newest entry first',
  about: `Who changed what, and when. All filters that are given must hold. A database file, such as a backup, is opened for reading only: not a
byte of it changes, and nothing is left beside it. A table for people; with --json a line of JSON for each entry.`,
  options: [
    { name: 'component', value: 'NAME', help: 'Entries of one component' },
    { name: 'record-id', value: 'ID', help: 'Entries of the records with this id' },
    { name: 'actor', value: 'NAME', help: 'Entries of one actor' },
    { name: 'operation', value: 'NAME', help: `One of ${auditOperations.join(', ')}` },
    { name: 'request-id', value: 'ID', help: 'Entries of one request' },
    { name: 'since', value: 'INSTANT', help: 'From this instant on: 2026-01-31, 2026-01-31T12:00:00Z; in UTC unless it has an offset' },
    { name: 'until', value: 'INSTANT', help: 'Before this instant' },
    { name: 'limit', value: 'NUMBER', help: `The most entries; ${defaultLimit} unless said` },
    accessors,
    header,
  ],
  examples: [
    { line: 'strongroom audit backup.sqlite --actor admin --since 2026-01-01', why: 'what admin did this year, from a backup' },
    { line: 'strongroom audit http://127.0.0.1:3000 --component users --record-id 7', why: 'the history of a record, from a server' },
    { line: 'strongroom audit ./app.db --limit 1000000 --json > audit.jsonl', why: 'a million entries into a file' },
  ],
  positionals: 1,
  jsonLines: true,
  async run(job) {
    const filter = readFilter(job.given)
    const limit = readLimit(job.given.text('limit'))
    await withTarget(job, job.given.positionals[0], async (target, watch) => {
      let batch: Document[] = []
      let found = false
      for await (const entry of target.audit(filter, limit, watch)) {
        batch.push(entry)
        if (batch.length < atATime) continue
        await show(job, batch)
        found = true
        batch = []
      }
      if (batch.length > 0 || !found) await show(job, batch)
    })
    return undefined
  },
}

function readFilter(given: Given): AuditFilter {
  return {
    component: given.text('component'),
    record_id: given.text('record-id'),
    actor: given.text('actor'),
    operation: oneOf(given, 'operation', auditOperations),
    request_id: given.text('request-id'),
    since: readInstant('since', given.text('since')),
    until: readInstant('until', given.text('until')),
  }
}

function readLimit(value: string | undefined): number {
  if (value === undefined) return defaultLimit
  const number = /^\d+$/.test(value) ? Number(value) : 0
  if (!Number.isSafeInteger(number) || number < 1) throw new WrongUse('--limit is a whole number from 1 on.')
  return number
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
