import { readFileSync } from 'node:fs'
import { nearest } from './arguments/nearest.ts'
import { readArguments } from './arguments/read-arguments.ts'
import { commands } from './commands/all-commands.ts'
import type { Command } from './commands/command.ts'
import { findCommand } from './commands/find-command.ts'
import { exitCodeOf, exitCodes } from './exit-codes.ts'
import { WrongUse } from './faults.ts'
import { everywhere, helpOf, overview } from './help.ts'
import { progressOn } from './output/progress.ts'
import { OutputClosed, write } from './output/write.ts'
import type { Surroundings } from './surroundings.ts'
import { tell } from './tell.ts'

/**
 * Runs a command line.
 *
 * @param args what stands after `strongroom`
 * @returns the exit code; it does not throw
 * @example
 * process.exitCode = await run(['health', 'http://127.0.0.1:3000'], surroundings)
 */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const [name] = args
  const { command, rest } = findCommand(args)
  const asJson = rest.includes('--json') && command?.jsonLines !== true
  try {
    return command ? await runCommand(command, rest, surroundings) : await runOther(name, surroundings)
  } catch (error) {
    if (surroundings.signal.aborted) return exitCodes.interrupted
    if (error instanceof OutputClosed) return exitCodes.failed
    await tell(error, { command, asJson, surroundings })
    return exitCodeOf(error)
  }
}

async function runCommand(command: Command, args: readonly string[], surroundings: Surroundings): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    await write(surroundings.stdout, helpOf(command))
    return exitCodes.done
  }
  const given = readArguments(args, [...command.options, ...everywhere])
  const [superfluous] = given.positionals.slice(command.positionals)
  if (superfluous !== undefined) throw new WrongUse(`"${superfluous}" is too much: strongroom ${command.name} ${command.usage}`.trim())
  const progress = progressOn(surroundings, !given.has('quiet'))
  try {
    const answer = async (document: unknown, text: string, { wrong } = { wrong: false }): Promise<void> => {
      progress.end()
      if (given.has('json')) await write(surroundings.stdout, `${JSON.stringify(document)}\n`)
      else if (wrong || !given.has('quiet')) await write(surroundings.stdout, text)
    }
    return (await command.run({ given, surroundings, progress, answer })) ?? exitCodes.done
  } finally {
    progress.end()
  }
}

async function runOther(name: string | undefined, { stdout, stderr }: Surroundings): Promise<number> {
  if (name === '--version' || name === '-V') {
    await write(stdout, `${version()}\n`)
    return exitCodes.done
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    await write(stdout, overview(commands))
    return exitCodes.done
  }
  if (name === undefined) {
    await write(stderr, overview(commands))
    return exitCodes.wrongUse
  }
  const names = commands.map((command) => command.name)
  const meant = nearest(name, names)
  throw new WrongUse(`There is no command "${name}".${meant === undefined ? ` There are ${names.join(', ')}.` : ` Did you mean ${meant}?`}`)
}

function version(): string {
  // The manifest stands beside the folder of this file, of the sources and of what is built from them.
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { readonly version: string }
  return manifest.version
}
