import type { Option } from './option.ts'

export const json: Option = { name: 'json', help: 'One JSON document on standard output; what went wrong is one, too' }

export const quiet: Option = { name: 'quiet', short: 'q', help: 'No progress, and no sentence when all went well' }

export const help: Option = { name: 'help', short: 'h', help: 'This text' }

export const header: Option = {
  name: 'header',
  value: 'NAME: VALUE',
  repeated: true,
  help: 'A header for the server, such as a login; may be given more than once',
}

export const accessors: Option = {
  name: 'accessors',
  value: 'MODULE',
  help: 'A module that exports the accessors, such as ./models.ts; for databases only',
}

export const into: Option = {
  name: 'into',
  value: 'TARGET',
  help: 'The server or database that is written to; STRONGROOM_URL, then DATABASE_URL unless said',
}

export const user: Option = { name: 'user', value: 'NAME', help: 'Who does it, for the audit log; operator unless said' }

export const create: Option = { name: 'create', help: 'Make the database file, and tables that are missing; for databases only' }

export const dryRun: Option = { name: 'dry-run', help: 'Report what would be done, and change nothing' }

export const force: Option = { name: 'force', help: 'Replace a file that is there' }

/** Where a file goes. */
export const output = (unless: string): Option => ({
  name: 'output',
  short: 'o',
  value: 'FILE',
  help: `Where it goes, - for standard output; ${unless} unless said`,
})
