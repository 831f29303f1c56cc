import { readInstant } from '../arguments/instant.ts'
import { WrongUse } from '../faults.ts'
import { printable } from '../output/printable.ts'
import type { Document, RecordName } from '../target/target.ts'
import type { Job } from './command.ts'
import { refuseSelection } from './revert-many.ts'
import { withTarget } from './with-target.ts'

/** Makes a record what it was. */
export async function revertOne(job: Job): Promise<undefined> {
  const { given } = job
  const [component, id] = given.positionals
  if (component === undefined || id === undefined) throw new WrongUse('Say which record: strongroom revert users 7 --to 2026-01-31.')
  refuseSelection(given)
  const choices = { to: readPlace(given.text('to')), dryRun: given.has('dry-run') }
  const record = await withTarget(job, given.text('into'), (target, watch) => target.revertRecord({ component, id }, choices, watch))
  job.progress.end()
  await job.answer(record, inWords({ component, id }, record, choices.dryRun))
  return undefined
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
