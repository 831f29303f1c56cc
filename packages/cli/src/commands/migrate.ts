import { nearest } from '../arguments/nearest.ts'
import { accessors, create, user } from '../arguments/shared-options.ts'
import { exitCodes } from '../exit-codes.ts'
import { WrongUse } from '../faults.ts'
import { counted, printable } from '../output/printable.ts'
import { table } from '../output/table.ts'
import { type OpenedMigrator, openMigrations } from '../target/migrations-target.ts'
import type { Command, Job } from './command.ts'

export const migrate: Command = {
  name: 'migrate',
  usage: 'ACTION [NAME]',
  summary: 'Compares tables with models, and writes, applies and takes back migrations',
  about: `ACTION is diff (what differs), new NAME (write a migration that makes away with it), up (apply what is pending), down (take the last one back)
or status. diff, new and status change nothing of the database. Exit code 3 says that a migration is needed (diff), pending (status), or that
records stand against one (up, down), which has then done nothing.`,
  options: [
    { name: 'database', value: 'TARGET', help: 'The database or its file; DATABASE_URL unless said' },
    { name: 'migrations', value: 'FOLDER', help: 'The folder of migrations; ./migrations unless said' },
    { name: 'empty', help: 'new: write one that does nothing yet, for statements of your own' },
    { name: 'steps', value: 'COUNT', help: 'down: how many are taken back; 1 unless said' },
    user,
    accessors,
    create,
  ],
  examples: [
    { line: 'strongroom migrate diff --database ./app.db --accessors ./models.ts', why: 'what differs' },
    { line: 'strongroom migrate new add_nickname --accessors ./models.ts', why: 'write a migration, for the database of DATABASE_URL' },
    { line: 'strongroom migrate up --accessors ./models.ts --user deploy', why: 'apply what is pending, in the name of deploy' },
    { line: 'strongroom migrate status --json | jq .pending', why: 'for a script' },
  ],
  positionals: 2,
  async run(job) {
    const [action, name] = job.given.positionals
    if (action === undefined) throw new WrongUse(`Say what to do: strongroom migrate ${Object.keys(actions).join(', ')}.`)
    const run = Object.hasOwn(actions, action) ? actions[action] : undefined
    if (!run) {
      const meant = nearest(action, Object.keys(actions))
      throw new WrongUse(
        `"${action}" is nothing to do. ${meant ? `Did you mean ${meant}?` : `There are ${Object.keys(actions).join(', ')}.`}`,
      )
    }
    if (name !== undefined && action !== 'new') throw new WrongUse(`"${name}" is too much: strongroom migrate ${action}`)
    const opened = await openMigrations(job.given, job.surroundings)
    try {
      return await run(job, opened)
    } finally {
      await opened.migrator.close()
    }
  },
}

type Action = (job: Job, opened: OpenedMigrator) => Promise<number | undefined>

const actions: Readonly<Record<string, Action>> = { diff, new: write, up, down, status }

async function diff({ answer, progress }: Job, { migrator, assertModels }: OpenedMigrator): Promise<number> {
  assertModels('A comparison')
  progress.step('Comparing')
  const { differences, needMigration, leftovers } = await migrator.diff()
  const needs = new Set(needMigration)
  const lines = [
    ...differences.map((line) => `${line}${needs.has(line) ? ' This needs a migration.' : ''}`),
    ...leftovers.map((line) => `${line} It does no harm.`),
  ]
  const text = lines.length === 0 ? 'The tables are as the models want them.' : lines.join('\n')
  const document = { differences, need_migration: needMigration, leftovers }
  await answer(document, `${printable(text, { lines: true })}\n`, { wrong: needMigration.length > 0 })
  return needMigration.length > 0 ? exitCodes.refused : exitCodes.done
}

async function write({ given, answer, progress }: Job, { migrator, assertModels }: OpenedMigrator): Promise<undefined> {
  const [, title] = given.positionals
  if (title === undefined) throw new WrongUse('Say what it is about: strongroom migrate new add_nickname.')
  const empty = given.has('empty')
  if (!empty) assertModels('A migration that is written from the difference')
  progress.step('Comparing')
  const path = await migrator.write(title, { empty })
  await answer({ path }, `${printable(path)} is written. Read it before it runs.\n`)
}

async function up({ given, answer, progress }: Job, { migrator, who, assertExists }: OpenedMigrator): Promise<undefined> {
  assertExists(given.has('create'))
  progress.step('Migrating')
  const { applied, made, differences } = await migrator.up(who)
  const lines = [
    made ? 'The tables were made as the models want them; all migrations are contained in that.' : undefined,
    ...applied.map((name) => `${name} is applied.`),
    !made && applied.length === 0 ? 'Nothing is pending.' : undefined,
    differences.length > 0 ? `The tables still differ from the models:\n${differences.map((line) => `- ${line}`).join('\n')}` : undefined,
  ].filter((line) => line !== undefined)
  await answer({ applied, made, differences }, `${printable(lines.join('\n'), { lines: true })}\n`)
}

async function down({ given, answer, progress }: Job, { migrator, who, assertExists }: OpenedMigrator): Promise<undefined> {
  assertExists(false)
  const steps = Number(given.text('steps') ?? '1')
  if (!Number.isSafeInteger(steps) || steps < 1) throw new WrongUse('--steps takes a whole number from 1 on.')
  progress.step('Migrating')
  const reverted = await migrator.down({ ...who, steps })
  const text = reverted.length === 0 ? 'No migration was applied.' : reverted.map((name) => `${name} is taken back.`).join('\n')
  await answer({ reverted }, `${printable(text, { lines: true })}\n`)
}

async function status({ answer, progress }: Job, { migrator }: OpenedMigrator): Promise<number> {
  progress.step('Reading')
  const { applied, pending, changed, missing } = await migrator.status()
  const document = {
    applied: applied.map(({ appliedAt, ...about }) => ({ ...about, applied_at: appliedAt.toISOString() })),
    pending,
    changed,
    missing,
  }
  const [changedNames, missingNames] = [new Set(changed), new Set(missing)]
  const stateOf = (name: string, kind: string): string => {
    if (changedNames.has(name)) return 'changed since'
    return missingNames.has(name) ? 'file is missing' : kind === 'migration' ? 'applied' : kind
  }
  const rows = [
    ...applied.map(({ name, kind, actor, appliedAt }) => [name, stateOf(name, kind), actor, appliedAt.toISOString()]),
    ...pending.map((name) => [name, 'pending', '', '']),
  ]
  const told = rows.length === 0 ? 'There is no migration.\n' : `${table(['MIGRATION', 'STATE', 'BY', 'AT'], rows)}\n`
  const open = pending.length + changed.length
  await answer(document, `${told}${pending.length > 0 ? `${counted(pending.length, 'migration is', 'migrations are')} pending.\n` : ''}`, {
    wrong: open > 0,
  })
  return open > 0 ? exitCodes.refused : exitCodes.done
}
