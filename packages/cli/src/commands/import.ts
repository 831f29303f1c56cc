import { basename } from 'node:path'
import { oneOf } from '../arguments/read-arguments.ts'
import { accessors, create, dryRun, header, into, user } from '../arguments/shared-options.ts'
import { exitCodes } from '../exit-codes.ts'
import { WrongUse } from '../faults.ts'
import { asRecord } from '../http/read-fault.ts'
import { counted, printable } from '../output/printable.ts'
import { table } from '../output/table.ts'
import type { Surroundings } from '../surroundings.ts'
import type { Document, ImportFiles } from '../target/target.ts'
import type { Command } from './command.ts'
import { sourceOf } from './source-file.ts'
import { withTarget } from './with-target.ts'

export const importFiles: Command = {
  name: 'import',
  usage: 'FILE...',
  summary: 'Writes CSV files, or a zip of them, into the tables, or says what is wrong with them',
  about: `FILE is a zip, such as an export, or - for one from standard input; or CSV files, each named as its table, or given as
TABLE=FILE.csv. Every row is checked by its model; then all are written, in one unit, or none. Rows that are wrong are told with their
line and field, and the exit code is 3. Without a server it needs --accessors.`,
  options: [
    into,
    { name: 'mode', value: 'insert|upsert', help: 'Only new records, or also changes of those whose id is there; insert unless said' },
    dryRun,
    user,
    accessors,
    create,
    header,
  ],
  examples: [
    { line: 'strongroom import export.zip --into http://127.0.0.1:3000 --dry-run', why: 'is it acceptable?' },
    { line: 'strongroom import users.csv tasks=./todo.csv --into http://127.0.0.1:3000 --user olga', why: 'two CSV files' },
    { line: 'strongroom import all.zip --into ./new.db --accessors ./models.ts --create', why: 'an export into a new database file' },
  ],
  positionals: Number.POSITIVE_INFINITY,
  async run(job) {
    const { given, surroundings, progress, answer } = job
    const files = readFiles(given.positionals, surroundings)
    const choices = { mode: oneOf(given, 'mode', ['insert', 'upsert']) ?? 'insert', dryRun: given.has('dry-run') } as const
    if (given.has('create') && choices.dryRun) throw new WrongUse('--dry-run changes nothing, and --create does: say one of them.')
    const report = await withTarget(job, given.text('into'), (target, watch) => target.import(files, choices, watch))
    progress.end()
    const wrong = Number(report['error_count']) > 0
    await answer(report, inWords(report), { wrong })
    return wrong ? exitCodes.refused : undefined
  },
}

function readFiles(paths: readonly string[], surroundings: Surroundings): ImportFiles {
  const [first, ...others] = paths
  if (first === undefined) throw new WrongUse('Say what to import: a zip, or CSV files.')
  if (first === '-' || /\.zip$/i.test(first)) {
    if (others.length > 0) throw new WrongUse('A zip is imported alone.')
    return { zip: sourceOf(first, surroundings) }
  }
  const csv = new Map(paths.map((path) => readCsv(path, surroundings)))
  if (csv.size < paths.length) throw new WrongUse('Two files are for the same table.')
  return { csv }
}

function readCsv(path: string, surroundings: Surroundings): [string, ReturnType<typeof sourceOf>] {
  const [, table, file] = /^(\w+)=(.+)$/s.exec(path) ?? []
  if (table !== undefined && file !== undefined) return [table, sourceOf(file, surroundings)]
  if (!/\.csv$/i.test(path)) throw new WrongUse(`${path} is no zip and no CSV file. Say the table of another name: users=${path}.`)
  return [basename(path).replace(/\.csv$/i, ''), sourceOf(path, surroundings)]
}

function inWords(report: Document): string {
  const list = (name: string) => (Array.isArray(report[name]) ? report[name].map(asRecord) : [])
  const rows = list('tables').map((row) => ['table', 'rows', 'inserted', 'updated', 'unchanged'].map((name) => String(row[name])))
  const faults = list('errors').map(({ file, line, field, message }) =>
    printable(`${file}, line ${line}${field === '' ? '' : `, ${field}`}: ${message}`),
  )
  const count = Number(report['error_count'])
  const skipped = list('skipped').map(({ file, reason }) => printable(`${file} was passed over: it ${reason}.`))
  const end =
    count > 0
      ? `${counted(count, 'fault', 'faults')}${count > faults.length ? `; these are the first ${faults.length}` : ''}. Nothing was written.`
      : report['dry_run'] === true
        ? 'A dry run: nothing was written.'
        : 'All is written.'
  return `${[table(['TABLE', 'ROWS', 'INSERTED', 'UPDATED', 'UNCHANGED'], rows), ...skipped, ...faults, end].join('\n')}\n`
}
