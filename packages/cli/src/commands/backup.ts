import { accessors, force, header, output } from '../arguments/shared-options.ts'
import type { Command } from './command.ts'
import { makeFile } from './output-file.ts'
import { withTarget } from './with-target.ts'

export const backup: Command = {
  name: 'backup',
  usage: '[TARGET]',
  summary: 'Makes a backup of everything as one SQLite file',
  about: `It is made beside readers and writers, and holds every write that was acknowledged before. The file is checked, is there as a whole
or not at all, and can be read by nobody but its owner: it holds secrets. A database of PostgreSQL needs --accessors, SQLite does not.`,
  options: [output('backup-TIME.sqlite'), force, accessors, header],
  examples: [
    { line: 'strongroom backup http://127.0.0.1:3000', why: 'of a server, as backup-20260131T120000Z.sqlite in this folder' },
    { line: 'strongroom backup ./app.db -o nightly.sqlite --force', why: 'of a database file, over the one of the night before' },
    { line: 'strongroom backup postgres://127.0.0.1/app --accessors ./models.ts', why: 'of a database of PostgreSQL' },
    { line: 'strongroom backup http://127.0.0.1:3000 -o - | gzip > backup.sqlite.gz', why: 'into another program' },
  ],
  positionals: 1,
  async run(job) {
    await withTarget(job, job.given.positionals[0], (target, watch) =>
      makeFile(job, target, { kind: 'backup', ending: 'sqlite', make: (file) => target.backup(file, watch) }),
    )
    return undefined
  },
}
