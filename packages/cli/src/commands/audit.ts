import { auditOperations } from '@strongroom/contract'
import { readInstant } from '../arguments/instant.ts'
import type { Given } from '../arguments/option.ts'
import { oneOf } from '../arguments/read-arguments.ts'
import { accessors, header } from '../arguments/shared-options.ts'
import type { AuditFilter } from '../target/target.ts'
import type { Command } from './command.ts'
import { defaultEntries, readEntryLimit, showEntries } from './entries.ts'
import { withTarget } from './with-target.ts'

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
    { name: 'limit', value: 'NUMBER', help: `The most entries; ${defaultEntries} unless said` },
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
    const limit = readEntryLimit(job.given)
    await withTarget(job, job.given.positionals[0], (target, watch) => showEntries(job, target.audit(filter, limit, watch)))
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
