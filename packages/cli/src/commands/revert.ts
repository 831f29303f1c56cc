import { readInstant } from '../arguments/instant.ts'
import { accessors, dryRun, header, into, user } from '../arguments/shared-options.ts'
import { WrongUse } from '../faults.ts'
import { printable } from '../output/printable.ts'
import type { Document, RecordName } from '../target/target.ts'
import type { Command } from './command.ts'
import { withTarget } from './with-target.ts'

export const revert: Command = {
  name: 'revert',
  usage: 'COMPONENT ID',
  summary: 'Makes a record what it was',
  about: `A write like any other, with hooks, checks and an audit entry. --to takes an instant, or the id of one of the record's audit entries:
the record becomes what that entry left. A deleted record is restored, and one that is gone is made anew. Without a server it needs --accessors.`,
  options: [
    { name: 'to', value: 'INSTANT|ENTRY', help: 'Where it goes back to: 2026-01-31T12:00:00Z, or the id of an audit entry' },
    into,
    dryRun,
    user,
    accessors,
    header,
  ],
  examples: [
    { line: 'strongroom revert users 7 --to 2026-01-31T12:00:00Z --into http://127.0.0.1:3000 --dry-run', why: 'what it would be' },
    {
      line: 'strongroom revert users 7 --to 4711 --into http://127.0.0.1:3000 --user olga',
      why: 'what entry 4711 left, in the name of olga',
    },
  ],
  positionals: 2,
  async run(job) {
    const { given } = job
    const [component, id] = given.positionals
    if (component === undefined || id === undefined) throw new WrongUse('Say which record: strongroom revert users 7 --to 2026-01-31.')
    const choices = { to: readPlace(given.text('to')), dryRun: given.has('dry-run') }
    const record = await withTarget(job, given.text('into'), (target, watch) => target.revertRecord({ component, id }, choices, watch))
    job.progress.end()
    await job.answer(record, inWords({ component, id }, record, choices.dryRun))
    return undefined
  },
}

function readPlace(value: string | undefined): Date | number {
  if (value === undefined)
    throw new WrongUse('Say where it shall go back to: --to 2026-01-31T12:00:00Z, or --to with the id of an audit entry.')
  const entry = /^[1-9]\d*$/.test(value) ? Number(value) : undefined
  if (entry !== undefined && Number.isSafeInteger(entry)) return entry
  // A value was given, so there is an instant.
  return readInstant('to', value) as Date
}

function inWords({ component, id }: RecordName, record: Document, isDry: boolean): string {
  const fields = Object.entries(record).map(([name, value]) => `${name.padEnd(20)}${printable(JSON.stringify(value))}\n`)
  const told = isDry ? `A dry run: nothing was changed. ${component}/${id} would be` : `${component}/${id} is`
  return `${printable(told)}\n${fields.join('')}`
}
