import { commands } from './all-commands.ts'
import type { Command } from './command.ts'

/** The command that a line begins with, whose name may be of two words, and what stands behind it. */
export function findCommand(args: readonly string[]): { readonly command: Command | undefined; readonly rest: readonly string[] } {
  for (const words of [2, 1]) {
    const name = args.slice(0, words).join(' ')
    const command = commands.find((known) => known.name === name)
    if (command) return { command, rest: args.slice(words) }
  }
  return { command: undefined, rest: args.slice(1) }
}
