import type { Writable } from 'node:stream'
import { listOf, oneOf } from '../arguments/read-arguments.ts'
import { accessors, force, header, output } from '../arguments/shared-options.ts'
import { writableAt } from '../output/write.ts'
import type { ExportChoices, Target, Watch } from '../target/target.ts'
import type { Command } from './command.ts'
import { makeFile } from './output-file.ts'
import { withTarget } from './with-target.ts'

export const exportTables: Command = {
  name: 'export',
  usage: '[TARGET]',
  summary: 'Exports every table as a CSV file in a zip',
  about: `One moment of the database, with a manifest of rows, columns and checksums. Secrets are masked unless --secrets include says
otherwise; only then can all of it be imported elsewhere. A database, such as a backup, needs --accessors.`,
  options: [
    output('export-TIME.zip'),
    force,
    { name: 'tables', value: 'NAMES', repeated: true, help: 'Tables or components, separated by commas; all unless said' },
    { name: 'secrets', value: 'mask|include', help: 'Secret fields: a mark in every cell, or their values; mask unless said' },
    { name: 'spreadsheet', help: 'Put an apostrophe before texts that a spreadsheet would run; such files cannot be imported' },
    accessors,
    header,
  ],
  examples: [
    { line: 'strongroom export http://127.0.0.1:3000', why: 'everything, as export-20260131T120000Z.zip in this folder' },
    {
      line: 'strongroom export http://127.0.0.1:3000 --tables users,tasks --spreadsheet -o people.zip',
      why: 'two tables for a spreadsheet',
    },
    {
      line: 'strongroom export backup.sqlite --accessors ./models.ts --secrets include -o all.zip',
      why: 'what a backup holds, for import',
    },
  ],
  positionals: 1,
  async run(job) {
    const { given } = job
    const choices = {
      tables: listOf(given, 'tables'),
      secrets: oneOf(given, 'secrets', ['mask', 'include']) ?? 'mask',
      spreadsheet: given.has('spreadsheet'),
    } as const
    await withTarget(job, given.positionals[0], (target, watch) =>
      makeFile(job, target, { kind: 'export', ending: 'zip', make: (file) => exportInto(writableAt(file), target, choices, watch) }),
    )
    return undefined
  },
}

async function exportInto(output: Writable, target: Target, choices: ExportChoices, watch: Watch): Promise<void> {
  try {
    await target.export(output, choices, watch)
  } finally {
    output.destroy()
  }
}
