import { accessors, header } from '../arguments/shared-options.ts'
import { WrongUse } from '../faults.ts'
import type { Command } from './command.ts'
import { defaultEntries, readEntryLimit, showEntries } from './entries.ts'
import { withTarget } from './with-target.ts'

export const history: Command = {
  name: 'history',
  usage: 'COMPONENT ID [TARGET]',
  summary: 'Lists the audit entries of a record, newest first',
  about: `Who changed this record, when, and how; also of one that is gone. A server answers what the caller may read of it; a database, which may
be a backup, everything that its log has. A table for people; with --json a line of JSON for each entry.`,
  options: [{ name: 'limit', value: 'NUMBER', help: `The most entries; ${defaultEntries} unless said` }, accessors, header],
  examples: [
    { line: 'strongroom history users 7 http://127.0.0.1:3000', why: 'what became of user 7' },
    { line: 'strongroom history users 7 ./app.db --limit 1 --json', why: 'its last change, without a server' },
  ],
  positionals: 3,
  jsonLines: true,
  async run(job) {
    const [component, id, said] = job.given.positionals
    if (component === undefined || id === undefined) throw new WrongUse('Say which record: strongroom history users 7 TARGET.')
    const limit = readEntryLimit(job.given)
    await withTarget(job, said, (target, watch) => showEntries(job, target.history({ component, id }, limit, watch)))
    return undefined
  },
}
