import { readInstant } from '../arguments/instant.ts'
import type { Given, Option } from '../arguments/option.ts'
import { exitCodes } from '../exit-codes.ts'
import { WrongUse } from '../faults.ts'
import { asRecord } from '../http/read-fault.ts'
import { counted, printable } from '../output/printable.ts'
import { table } from '../output/table.ts'
import type { Document, RevertQuestion } from '../target/target.ts'
import type { Job } from './command.ts'
import { withTarget } from './with-target.ts'

/** What says whose changes are undone. */
export const selectionOptions: readonly Option[] = [
  { name: 'request', value: 'ID', help: 'Undo what this request did' },
  { name: 'batch', value: 'ID', help: 'Undo what one transaction did: the transaction_id of its audit entries' },
  { name: 'import', value: 'JOB', help: 'Undo what this import did, by the id of its job' },
  { name: 'actor', value: 'NAME', help: 'Undo what somebody did, from --since on' },
  { name: 'since', value: 'INSTANT', help: 'From this instant on: 2026-01-31, 2026-01-31T12:00:00Z; in UTC unless it has an offset' },
  { name: 'until', value: 'INSTANT', help: 'Before this instant' },
  { name: 'skip-conflicts', help: 'Leave records that cannot go back as they are, and undo the rest' },
]

const kinds = ['request', 'batch', 'import', 'actor'] as const

/** One record is not one of many. */
export function refuseSelection(given: Given): void {
  const stranger = selectionOptions.find(({ name }) => given.has(name))
  if (stranger) throw new WrongUse(`--${stranger.name} undoes changes of many records: leave the record out.`)
}

/** Undoes what one request, batch, import or actor did. */
export async function revertMany(job: Job): Promise<number | undefined> {
  const { given } = job
  const question = readQuestion(given)
  const isDry = given.has('dry-run')
  const report = await withTarget(job, given.text('into'), (target, watch) => target.revertChanges(question, isDry, watch))
  job.progress.end()
  const isRefused = report['applied'] !== true && !isDry
  await job.answer(report, inWords(report, isDry), { wrong: isRefused })
  return isRefused ? exitCodes.refused : undefined
}

function readQuestion(given: Given): RevertQuestion {
  if (given.has('to')) throw new WrongUse('Say which record goes back there: strongroom revert users 7 --to 2026-01-31.')
  const chosen = kinds.filter((kind) => given.has(kind))
  if (chosen.length !== 1)
    throw new WrongUse('Say what shall be undone: a record, or one of --request, --batch, --import and --actor with --since.')
  const since = readInstant('since', given.text('since'))
  if (given.has('actor') && !since) throw new WrongUse('Say since when: --actor mallory --since 2026-01-31T12:00.')
  return {
    requestId: given.text('request'),
    batch: given.text('batch'),
    import: given.text('import'),
    actor: given.text('actor'),
    since,
    until: readInstant('until', given.text('until')),
    conflicts: given.has('skip-conflicts') ? 'skip' : 'refuse',
  }
}

const columns = ['created', 'updated', 'restored', 'deleted', 'unchanged'] as const

function inWords(report: Document, isDry: boolean): string {
  const list = (name: string): Document[] => (Array.isArray(report[name]) ? report[name].map(asRecord) : [])
  const rows = list('components').map((row) => [String(row['component']), ...columns.map((name) => String(row[name]))])
  const conflicts = list('conflicts').map(({ message }) => `${printable(String(message))}\n`)
  const count = Number(report['conflict_count'])
  const told = [
    ...(count > conflicts.length ? [`… and ${counted(count - conflicts.length, 'more', 'more')}.`] : []),
    isDry
      ? 'A dry run: nothing was changed.'
      : report['applied'] === true
        ? `Undone. To undo that: strongroom revert --request ${report['request_id']}`
        : 'Nothing was changed: see above, or say --skip-conflicts to undo the rest.',
  ]
  const head = rows.length > 0 ? table(['COMPONENT', ...columns.map((name) => name.toUpperCase())], rows) : ''
  return `${head}${conflicts.join('')}${told.map((line) => `${printable(line)}\n`).join('')}`
}
