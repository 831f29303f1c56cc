import { accessors, create, dryRun, header, into, user } from '../arguments/shared-options.ts'
import { exitCodes } from '../exit-codes.ts'
import { WrongUse } from '../faults.ts'
import { asRecord } from '../http/read-fault.ts'
import { counted, inBytes, printable } from '../output/printable.ts'
import { table } from '../output/table.ts'
import { write } from '../output/write.ts'
import type { Document, RestoreChoices, Source, Target, Watch } from '../target/target.ts'
import type { Command, Job } from './command.ts'
import { canAsk, confirmed } from './confirm.ts'
import { sourceOf } from './source-file.ts'
import { withTarget } from './with-target.ts'

export const restore: Command = {
  name: 'restore',
  usage: 'FILE',
  summary: 'Puts a backup in the place of what a database holds',
  about: `The file is checked first; what cannot be trusted is refused, and nothing is changed. What is replaced stays as a safety copy, which
--undo brings back. On a terminal it shows what it would do and asks; elsewhere it needs --yes. Without a server it needs --accessors.
FILE may be - for standard input.`,
  options: [
    into,
    { name: 'yes', short: 'y', help: 'Do not ask' },
    dryRun,
    { name: 'undo', help: 'Bring back what the last restore has replaced; without FILE' },
    { name: 'no-integrity-check', help: "Leave out SQLite's own check, which reads the whole file" },
    user,
    accessors,
    create,
    header,
  ],
  examples: [
    { line: 'strongroom restore backup.sqlite --into http://127.0.0.1:3000 --dry-run', why: 'what a restore would do' },
    { line: 'strongroom restore backup.sqlite --into http://127.0.0.1:3000 --user olga --yes', why: 'restore in the name of olga' },
    { line: 'strongroom restore --undo --into http://127.0.0.1:3000 --yes', why: 'and back again' },
    { line: 'strongroom restore backup.sqlite --into ./new.db --accessors ./models.ts --create --yes', why: 'into a new database file' },
  ],
  positionals: 1,
  async run(job) {
    const restoring = readJob(job)
    return withTarget(job, job.given.text('into'), async (target, watch) => {
      const isDry = job.given.has('dry-run')
      if (!isDry && !job.given.has('yes') && !(await agreed(job, restoring, target, watch))) {
        await write(job.surroundings.stderr, 'Nothing was changed.\n')
        return exitCodes.failed
      }
      const report = await restoring(target, isDry, watch)
      job.progress.end()
      await job.answer(report, inWords(report, target))
      return undefined
    })
  },
}

type Restoring = (target: Target, dryRun: boolean, watch: Watch) => Promise<Document>

function readJob(job: Job): Restoring {
  const { given, surroundings } = job
  const [path] = given.positionals
  if (given.has('create') && given.has('dry-run')) throw new WrongUse('--dry-run changes nothing, and --create does: say one of them.')
  if (given.has('undo')) {
    if (path !== undefined) throw new WrongUse('--undo takes no file: it restores the last safety copy.')
    assertAgreed(job)
    return (target, isDry, watch) => target.undoRestore({ dryRun: isDry }, watch)
  }
  if (path === undefined) throw new WrongUse('Say which file to restore: strongroom restore backup.sqlite --into TARGET.')
  if (path === '-' && asks(job)) throw new WrongUse('Standard input is the file, so nobody can be asked: say --yes.')
  const source: Source = sourceOf(path, surroundings)
  assertAgreed(job)
  const choices: Omit<RestoreChoices, 'dryRun'> = { integrityCheck: !given.has('no-integrity-check') }
  return (target, isDry, watch) => target.restore(source, { ...choices, dryRun: isDry }, watch)
}

const asks = ({ given }: Job): boolean => !given.has('yes') && !given.has('dry-run')

function assertAgreed(job: Job): void {
  if (!asks(job) || canAsk(job.surroundings)) return
  throw new WrongUse('A restore replaces what the database holds: say --yes, or --dry-run to see what it would do.')
}

/** Shows what a restore would do, and asks. */
async function agreed({ surroundings, progress }: Job, restoring: Restoring, target: Target, watch: Watch): Promise<boolean> {
  const report = await restoring(target, true, watch)
  progress.end()
  await write(surroundings.stderr, inWords(report, target))
  return confirmed(surroundings, `Put it in the place of what ${printable(target.name)} holds?`)
}

function inWords(report: Document, { name }: Target): string {
  const tables = Array.isArray(report['tables']) ? report['tables'].map(asRecord) : []
  const since = asRecord(report['since'])
  const fault = asRecord(asRecord(report['audit'])['fault'] ?? {})
  const migrations = Array.isArray(report['migrations']) ? report['migrations'].map(String) : []
  const rows = tables.map((row) => [String(row['table']), String(row['now']), row['in_file'] === null ? 'none' : String(row['in_file'])])
  const lost = Number(since['entries'])
  const lines = [
    ...(lost > 0 ? [`Since the file was made, the log has got ${counted(lost, 'entry', 'entries')} that it does not have.`] : []),
    ...(since['same_history'] === false
      ? ['The last entry of the file is not in the log: it was made from another database, or the log went another way since.']
      : []),
    ...('detail' in fault ? [`The audit log of the file has a fault: ${fault['detail']}`] : []),
    ...migrations,
    report['restored'] === true
      ? `${name} is restored (${inBytes(Number(report['bytes']))}). What was there is kept as ${report['safety_copy']}; --undo brings it back.`
      : 'A dry run: nothing was changed.',
  ]
  return `${table(['TABLE', 'ROWS NOW', 'IN THE FILE'], rows)}\n${lines.map((line) => `${printable(line)}\n`).join('')}`
}
