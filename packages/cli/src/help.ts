import type { Option } from './arguments/option.ts'
import { help, json, quiet } from './arguments/shared-options.ts'
import type { Command } from './commands/command.ts'

/** Options that every command has. */
export const everywhere: readonly Option[] = [json, quiet, help]

/** What `strongroom --help` says. */
export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  return `strongroom looks after Strongroom servers and their databases.

Usage: strongroom COMMAND [TARGET] [OPTIONS]

${commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join('\n')}

A TARGET is
  http://127.0.0.1:3000     a server, with its prefix if it has one; it must take you for an operator
  sqlite:./app.db, ./app.db a database file of SQLite, such as a backup
  postgres://host/app       a database of PostgreSQL
STRONGROOM_URL, then DATABASE_URL, is the target where none is said.
STRONGROOM_TOKEN is sent to servers as Authorization: Bearer.

Exit codes: 0 done; 1 failed; 2 wrong usage; 3 refused, nothing was changed; 4 not reached or busy, try later; 5 not allowed (why);
130 interrupted.

  strongroom COMMAND --help   tells more about a command, with examples
  strongroom --version
`
}

/** What `strongroom backup --help` says. */
export function helpOf({ name, usage, summary, about, options, examples }: Command): string {
  const all = [...options, ...everywhere].map((option) => [spelled(option), option.help] as const)
  const width = Math.max(...all.map(([spelling]) => spelling.length))
  return `${summary}.

Usage: strongroom ${name}${usage === '' ? '' : ` ${usage}`} [OPTIONS]

${about}

Options:
${all.map(([spelling, text]) => `  ${spelling.padEnd(width)}  ${text}`).join('\n')}

Examples:
${examples.map(({ line, why }) => `  # ${why}\n  ${line}`).join('\n')}
`
}

/** `-o, --output FILE`. */
function spelled({ name, short, value }: Option): string {
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`
}
