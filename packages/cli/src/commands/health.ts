import { accessors, header } from '../arguments/shared-options.ts'
import { asRecord } from '../http/read-fault.ts'
import { inBytes, printable } from '../output/printable.ts'
import type { Document } from '../target/target.ts'
import type { Command } from './command.ts'
import { withTarget } from './with-target.ts'

export const health: Command = {
  name: 'health',
  usage: '[TARGET]',
  summary: 'Asks how the database is',
  about: `Real queries: engine, latency, sizes, schema, the last scheduled backup, who waits, and where the audit log stands. Exit code 0 says that
the database answers, 4 that it does not. A server tells strangers no more than that. With --accessors a database is held against the models.`,
  options: [accessors, header],
  examples: [
    { line: 'strongroom health http://127.0.0.1:3000', why: 'of a server' },
    { line: 'strongroom health ./app.db --json | jq .database_bytes', why: 'of a database file, for a script' },
  ],
  positionals: 1,
  async run(job) {
    const document = await withTarget(job, job.given.positionals[0], (target, watch) => target.health(watch))
    await job.answer(document, inWords(document))
    return undefined
  },
}

function inWords(health: Document): string {
  const { differences } = asRecord(health['schema'])
  const backup = asRecord(health['last_backup'])
  const underWay = asRecord(health['backup_under_way'])
  const queue = asRecord(health['queue'])
  const entry = asRecord(asRecord(health['audit'])['last_entry'])
  const told: readonly (readonly [string, string | undefined])[] = [
    ['status', said(health['status'])],
    ['engine', said(health['engine'])],
    ['latency', said(health['latency_ms'], 'ms')],
    ['database', bytes(health['database_bytes'])],
    ['log', bytes(health['wal_bytes'])],
    ['free disk', bytes(health['free_disk_bytes'])],
    ['schema', Array.isArray(differences) ? (differences.length === 0 ? 'fits' : differences.map(String).join(' ')) : undefined],
    ['migrations', pending(asRecord(health['migrations']))],
    ['last backup', backup['name'] === undefined ? undefined : `${backup['name']}, ${age(Number(backup['age_seconds']))} old`],
    ['backup now', underWay['name'] === undefined ? undefined : `${underWay['name']}, for ${age(Number(underWay['age_seconds']))}`],
    ['backup error', said(health['backup_error'])],
    ['queue', queue['running'] === undefined ? undefined : `${queue['running']} running, ${queue['waiting']} waiting`],
    ['last entry', entry['id'] === undefined ? undefined : `${entry['id']} of ${entry['timestamp']}`],
  ]
  return told.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(13)}${printable(value)}\n`])).join('')
}

/** Only what somebody has to do something about. */
function pending(migrations: Document): string | undefined {
  const names = (key: string): string[] => (Array.isArray(migrations[key]) ? migrations[key].map(String) : [])
  const told = (['pending', 'changed', 'missing'] as const).flatMap((key) =>
    names(key).length > 0 ? [`${key}: ${names(key).join(', ')}`] : [],
  )
  return told.length > 0 ? told.join('; ') : undefined
}

function said(value: unknown, unit = ''): string | undefined {
  return value === undefined || value === null ? undefined : `${value} ${unit}`.trim()
}

function bytes(value: unknown): string | undefined {
  return typeof value === 'number' ? inBytes(value) : undefined
}

/** `3 h`. */
function age(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`
}
