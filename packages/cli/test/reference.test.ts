import { copyFileSync, globSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tempFolder } from '@strongroom/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readArguments } from '../src/arguments/read-arguments.ts'
import { commands } from '../src/commands/all-commands.ts'
import { findCommand } from '../src/commands/find-command.ts'
import { everywhere } from '../src/help.ts'
import { exitCodes, run } from '../src/index.ts'
import { models, startServer, strongroom } from './support.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const page = readFileSync(join(root, 'docs/reference/cli.md'), 'utf8')

/** The words of a command line, up to what is the shell's. */
function wordsOf(line: string): string[] {
  const own = line.split(/ [|>] /, 1)[0] ?? ''
  return own.split(' ').slice(1)
}

/** The lines of a page that call strongroom. */
const callsOf = (text: string): string[] => [...text.matchAll(/^\$ (strongroom .*)$/gm)].map(([, line = '']) => line)

describe('the page of the command line', () => {
  test.each(commands)('has $name, and exactly its options', ({ name, usage, options }) => {
    const [, section = ''] = page.split(`\n## strongroom ${name}${usage === '' ? '' : ` ${usage}`}\n`)
    const shared = ['header', 'accessors']
    const described = [...(section.split('\n## ', 1)[0] ?? '').matchAll(/^\| `--([\w-]+)(?:`, `-(\w))?( [^`]+)?`/gm)].map(
      ([, option, short, value]) => [option, short, value?.trim().replaceAll('\\', '')],
    )
    const wanted = options.filter((option) => !shared.includes(option.name)).map((option) => [option.name, option.short, option.value])
    expect(described).toEqual(wanted)
  })

  test('has the options of every command, and the exit codes', () => {
    for (const { name } of everywhere) expect(page).toContain(`| \`--${name}\``)
    for (const code of Object.values(exitCodes)) expect(page).toMatch(new RegExp(`^\\| ${code} +\\|`, 'm'))
    expect(run).toBeTypeOf('function')
  })
})

test('the calls in all pages and in the help can be read', () => {
  const pages = ['README.md', ...globSync(['docs/**/*.md', 'packages/*/README.md'], { cwd: root })]
  const calls = [
    ...pages.flatMap((name) => callsOf(readFileSync(join(root, name), 'utf8'))),
    ...commands.flatMap(({ examples }) => examples.map(({ line }) => line)),
  ]
  expect(calls.length).toBeGreaterThan(30)
  for (const call of calls) {
    const { command, rest: args } = findCommand(wordsOf(call))
    if (!command) expect(call).toMatch(/^strongroom --(help|version)$/)
    else expect(readArguments(args, [...command.options, ...everywhere]).positionals.length, call).toBeLessThanOrEqual(command.positionals)
  }
})

describe('the calls of the page', () => {
  let server: Awaited<ReturnType<typeof startServer>>
  const home = process.cwd()
  beforeAll(async () => {
    const folder = await tempFolder('cli')
    server = await startServer({ freshUrl: async () => `sqlite:${folder.path}/app.db` })
    symlinkSync(fileURLToPath(new URL('../node_modules', import.meta.url)), join(folder.path, 'node_modules'))
    copyFileSync(models, join(folder.path, 'models.ts'))
    writeFileSync(join(folder.path, 'users.csv'), 'name\nEve\n')
    writeFileSync(join(folder.path, 'todo.csv'), 'title\nRead\n')
    process.chdir(folder.path)
    return async () => {
      process.chdir(home)
      await folder.remove()
    }
  })
  afterAll(() => server.app.close())

  test('work as written, one after the other', { timeout: 60_000 }, async () => {
    for (const call of callsOf(page)) {
      const { code, stderr } = await strongroom(wordsOf(call).map((word) => word.replace('http://127.0.0.1:3000', server.url)))
      expect([call, code, stderr]).toEqual([call, 0, ''])
    }
  })
})
