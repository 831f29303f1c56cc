import { existsSync } from 'node:fs'
import { databaseFile, type MoveProgress, type MoveReport, moveDatabase } from '@strongroom/core/move'
import type { Given } from '../arguments/option.ts'
import { accessors } from '../arguments/shared-options.ts'
import { WrongUse } from '../faults.ts'
import { counted, printable, withoutPasswords } from '../output/printable.ts'
import { barOf } from '../output/progress.ts'
import { table } from '../output/table.ts'
import { loadAccessors } from '../target/load-accessors.ts'
import { databaseUrl } from '../target/open-target.ts'
import type { Command } from './command.ts'

export const move: Command = {
  name: 'move',
  usage: '',
  summary: 'Moves a database to another engine or place, and proves that it is the same',
  about: `Tables, records, the audit log with its chain, and the counters of ids, as they are at one moment: stop what writes to the source first.
Then both are read from end to end, and each table's records counted and hashed. Ended in the middle, the same command goes on. The target has
to be empty; the source is only read, and stays.`,
  options: [
    { name: 'from', value: 'DATABASE', help: 'What is moved: a URL, or a database file' },
    { name: 'to', value: 'DATABASE', help: 'Where it goes: the URL of an empty database, or a file that there is not yet' },
    { name: 'restart', help: 'Remove what an unfinished move has left in the target, and begin anew' },
    { name: 'leave-others', help: 'Leave tables behind that no model has' },
    accessors,
  ],
  examples: [
    { line: 'strongroom move --from ./app.db --to postgres://127.0.0.1/app', why: 'from a file to a server' },
    { line: 'strongroom move --from postgres://127.0.0.1/app --to ./app.db', why: 'and back' },
    { line: 'strongroom move --from ./app.db --to postgres://127.0.0.1/app --json | jq .tables', why: 'the hashes, for a script' },
  ],
  positionals: 0,
  async run({ given, surroundings, progress, answer }) {
    const [from, to] = [said(given, 'from'), said(given, 'to')]
    const file = databaseFile(from)
    if (file !== undefined && !existsSync(file)) throw new WrongUse(`There is no database file ${file}.`)
    const module = given.text('accessors')
    const loaded = module === undefined ? undefined : await loadAccessors(module)
    let phase: MoveProgress['phase'] | undefined
    const report = await (loaded?.core.moveDatabase ?? moveDatabase)({
      from,
      to,
      accessors: loaded?.accessors,
      restart: given.has('restart'),
      leaveOthers: given.has('leave-others'),
      signal: surroundings.signal,
      onProgress: (now) => {
        if (now.phase !== phase) progress.step(now.phase === 'copying' ? 'Copying' : 'Verifying')
        phase = now.phase
        progress.say(`${barOf(now.rows, now.total)}  ${printable(now.table)}`)
      },
    })
    progress.end()
    const place = printable(withoutPasswords(databaseFile(to) ?? to))
    await answer({ from: withoutPasswords(from), to: withoutPasswords(to), ...report }, inWords(report, place))
    return undefined
  },
}

function said(given: Given, name: 'from' | 'to'): string {
  const text = given.text(name)
  if (text === undefined) throw new WrongUse('Say from where to where: strongroom move --from ./app.db --to postgres://127.0.0.1/app.')
  if (/^https?:\/\//i.test(text)) throw new WrongUse(`A database is moved, and not what a server shows of it: --${name} is a database.`)
  return databaseUrl(text)
}

function inWords({ tables }: MoveReport, place: string): string {
  const rows = tables.map(({ table: name, rows: count, sha256 }) => [name, count.toLocaleString('en-US'), sha256])
  const all = tables.reduce((sum, { rows: count }) => sum + count, 0)
  return `${table(['TABLE', 'RECORDS', 'SHA-256 IN BOTH'], rows)}\n${place} has all ${counted(all, 'record', 'records')} of ${counted(tables.length, 'table', 'tables')}.\n`
}
