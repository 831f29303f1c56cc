import { accessors, dryRun, header, into, user } from '../arguments/shared-options.ts'
import type { Command } from './command.ts'
import { revertMany, selectionOptions } from './revert-many.ts'
import { revertOne } from './revert-one.ts'

export const revert: Command = {
  name: 'revert',
  usage: '[COMPONENT ID]',
  summary: 'Makes a record what it was, or undoes what a request, an import or somebody did',
  about: `Writes like any others, with hooks, checks and audit entries. Of a record --to takes an instant, or the id of one of its audit entries: the
record becomes what that entry left. Without a record one of --request, --batch, --import and --actor says what is undone, all of it in one
transaction; what others have changed later stands against it (exit code 3). Without a server it needs --accessors.`,
  options: [
    { name: 'to', value: 'INSTANT|ENTRY', help: 'Where the record goes back to: 2026-01-31T12:00:00Z, or the id of an audit entry' },
    ...selectionOptions,
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
    { line: 'strongroom revert --import 0191d1a0-7c3e --into http://127.0.0.1:3000 --dry-run', why: 'what undoing an import would do' },
    { line: 'strongroom revert --actor mallory --since 2026-01-31T12:00 --into http://127.0.0.1:3000', why: "somebody's afternoon" },
  ],
  positionals: 2,
  run: (job) => (job.given.positionals.length > 0 ? revertOne(job) : revertMany(job)),
}
