import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type DocProgram, runDocProgram, tempFolder } from '@strongroom/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { modules, pages, postgresUrl, programs, root } from './doc-pages.ts'

/** Commands of the docs that no program on their page answers, and why they are not run here. */
const runElsewhere: Readonly<Record<string, string>> = {
  'npm start': 'quickstart.test.ts starts what it starts',
  'npm test': 'runs this very test',
  'npm install @strongroom/core typebox better-sqlite3': 'installs from a registry',
  'npm install @strongroom/core typebox pg': 'installs from a registry',
  'npm install @strongroom/auth': 'installs from a registry',
  'npm install @strongroom/client': 'installs from a registry',
  'npm install @opentelemetry/api@1.9 @opentelemetry/sdk-trace-node@2 @opentelemetry/exporter-trace-otlp-http@0.223':
    'installs from a registry',
  'npm install @strongroom/core @strongroom/fastify fastify typebox better-sqlite3': 'installs from a registry',
}

describe('the TypeScript of the docs', () => {
  test.for(programs)('$page, line $line, runs as written', { timeout: 60_000 }, async ({ program }) => {
    expect(await runDocProgram(program, { modules, calls: 'fetch', postgresUrl })).toEqual([])
  })

  test('passes the strictest type check', { timeout: 120_000 }, async () => {
    const folder = await tempFolder('docs')
    onTestFinished(folder.remove)
    await symlink(fileURLToPath(modules), join(folder.path, 'node_modules'))
    await writeFile(join(folder.path, 'package.json'), '{ "type": "module" }')
    const config = {
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: { noEmit: true, composite: false, typeRoots: ['node_modules/@types'] },
    }
    await writeFile(join(folder.path, 'tsconfig.json'), JSON.stringify({ ...config, include: ['*.ts'] }))
    for (const { page, line, program } of programs) await writeFile(join(folder.path, fileName(page, line)), asModule(program))
    const { stdout, error } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder.path], { cwd: folder.path, encoding: 'utf8' })
    expect(error).toBeUndefined()
    // the packages' own sources lie outside the folder, and have a type check of their own
    expect(stdout.split('\n').filter((line) => line.includes('error TS') && !line.startsWith('..'))).toEqual([])
  })
})

describe('the commands of the docs', () => {
  test('are run against a server on their page, or there is a reason why not', () => {
    // the READMEs of the other examples are run by their own tests
    const commands = pages
      .filter(({ page }) => !page.startsWith('examples/') || page.startsWith('examples/quickstart/'))
      .flatMap(({ page, loose }) =>
        loose.flatMap(({ language, code, line }) => lines(code).map((text) => ({ page, line, language, text }))),
      )
    expect(commands.filter(({ text }) => runElsewhere[text] === undefined)).toEqual([])
  })
})

describe.for(pages)('$page', ({ page, text }) => {
  test('links to files that are there', () => {
    const targets = [...text.matchAll(/\]\(([^)#\s]+)/g)].map((match) => match[1] ?? '').filter((target) => !target.includes('://'))
    expect(targets.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([])
  })
})

test.each(['docs/lifecycle.md', 'docs/architecture.md'])('%s names files that are there', (name) => {
  const text = pages.find(({ page }) => page === name)?.text ?? ''
  const named = [...text.matchAll(/\b(contract|core|fastify)\/(?:src\/)?((?:[\w-]+\/)*[\w-]+\.ts)\b/g)]
  expect(named.length).toBeGreaterThan(0)
  expect(
    named.filter(([, package_, file]) => !existsSync(join(root, 'packages', package_ ?? '', 'src', file ?? ''))).map(([path]) => path),
  ).toEqual([])
})

const fileName = (page: string, line: number): string => `${page.replaceAll(/[/.]/g, '-')}-${line}.ts`
/** A file without import or export would share its names with the others. */
const asModule = ({ code }: DocProgram): string => `${code}\nexport {}\n`
const lines = (code: string): string[] => code.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
