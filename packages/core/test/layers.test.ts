import { describe, expect, test } from 'vitest'
import { layerFaults } from './layers/rules.ts'
import { readSources, sourceFile } from './layers/source-file.ts'

const core = 'packages/core/src'

/** The faults of made-up files: path and text by turns. */
function faults(files: Readonly<Record<string, string>>, exceptions: Readonly<Record<string, string>> = {}): string[] {
  const sources = Object.entries(files).map(([path, text]) => sourceFile(path, text))
  return layerFaults(sources, exceptions)
}

describe('the sources of this repository', () => {
  const sources = readSources()

  test('are found, with their imports', () => {
    const storage = sources.find((file) => file.path === `${core}/storage.ts`)
    expect(sources.length).toBeGreaterThan(20)
    expect(storage?.imports.length).toBeGreaterThan(3)
  })

  test('keep to the layers of the house', () => {
    expect(layerFaults(sources)).toEqual([])
  })
})

describe('the layers', () => {
  test('let imports lead down and stay in a room', () => {
    expect(
      faults({
        [`${core}/storage.ts`]: "import { read } from './accessor/read.ts'\nimport { open } from './engine/open-engine.ts'",
        [`${core}/accessor/read.ts`]: "import { table } from './table.ts'\nimport { select } from '../query/select.ts'",
        [`${core}/errors.ts`]: "import { errorCatalogue } from '@strongroom/contract'",
        'packages/fastify/src/bootstrap.ts': "import { openStorage } from '@strongroom/core'\nimport Fastify from 'fastify'",
        'packages/testkit/src/index.ts': "import { openStorage } from '@strongroom/core'",
      }),
    ).toEqual([])
  })

  test('refuse a package above, a private one and a way around the package', () => {
    expect(
      faults({
        'packages/contract/src/index.ts': "import { User } from '@strongroom/core'",
        [`${core}/errors.ts`]: "export * from '@strongroom/fastify'",
        [`${core}/logger.ts`]: "import { engines } from '@strongroom/testkit'",
        'packages/fastify/src/problem.ts': "import { StrongroomError } from '../../core/src/errors.ts'",
        'packages/surprise/src/index.ts': '',
      }),
    ).toEqual([
      'packages/contract/src/index.ts: contract may not import @strongroom/core',
      `${core}/errors.ts: core may not import @strongroom/fastify`,
      `${core}/logger.ts: core may not import @strongroom/testkit`,
      `packages/fastify/src/problem.ts: imports ${core}/errors.ts, which is outside its package's sources`,
      'packages/surprise/src/index.ts: the package surprise has no place in the order of packages',
    ])
  })

  test.each([
    ['query/select.ts', "import { accept } from '../accessor/accept.ts'", 'accessor/accept.ts'],
    ['engine/sqlite/open.ts', "import { Session } from '../../session/session.ts'", 'session/session.ts'],
    ['engine/engine.ts', "import type { Session } from '../session/session.ts'", 'session/session.ts'],
    ['model/model.ts', "export type { Engine } from '../engine/engine.ts'", 'engine/engine.ts'],
    ['accessor/read.ts', "const { diff } = await import('../schema/diff.ts')", 'schema/diff.ts'],
    ['hooks/run.ts', "import {\n  type A,\n  b,\n} from '../storage.ts'", 'storage.ts'],
    ['errors.ts', "import './model/model.ts'", 'model/model.ts'],
  ])('refuse that %s reaches up', (path, text, target) => {
    const [fault, ...others] = faults({ [`${core}/${path}`]: text })
    expect(fault).toContain(`may not import ${core}/${target}, which is above it`)
    expect(others).toEqual([])
  })

  test('refuse a room that has no floor', () => {
    expect(faults({ [`${core}/helpers/strings.ts`]: '' })).toEqual([`${core}/helpers/strings.ts: the room helpers has no floor`])
  })

  test('let everybody name the context of a unit, as a type', () => {
    const file = `${core}/engine/engine.ts`
    expect(faults({ [file]: "import type { UnitContext } from '../session/context.ts'" })).toEqual([])
    expect(faults({ [file]: "import { UnitContext } from '../session/context.ts'" })).toHaveLength(1)
  })

  test('keep the engines apart from each other', () => {
    const path = `${core}/engine/postgres/ddl.ts`
    expect(faults({ [path]: "import { quote } from '../sqlite/ddl.ts'\nimport { type Engine } from '../engine.ts'" })).toEqual([
      `${path}: the engine postgres may not import another one's ${core}/engine/sqlite/ddl.ts`,
    ])
    expect(faults({ [`${core}/engine/open-engine.ts`]: "import { open } from './sqlite/open.ts'" })).toEqual([])
  })

  test.each([
    "if (engine.name === 'sqlite') work()",
    'switch (name) { case "postgres": work() }',
    "url.startsWith('postgresql:')",
    'const isFile = name == `sqlite`',
    "const isServer = 'postgres' !== engine.name",
    "if (['sqlite'].includes('sqlite')) work()",
    'if (/^(?:sqlite|file):/.test(url)) work()',
  ])('refuse to ask which engine it is: %s', (code) => {
    expect(faults({ [`${core}/query/where.ts`]: code })).toEqual([expect.stringContaining('asks which engine it is')])
    expect(faults({ 'packages/fastify/src/options.ts': code })).toHaveLength(1)
    expect(faults({ [`${core}/engine/open-engine.ts`]: code })).toEqual([])
  })

  test.each(["import { open } from './engine/sqlite/open.ts'", "const settings = ['sqlite', 'postgres']", "const url = 'sqlite:./app.db'"])(
    'let others name an engine: %s',
    (code) => {
      expect(faults({ [`${core}/storage.ts`]: code })).toEqual([])
    },
  )

  test('do not take comments and longer texts for code', () => {
    const text = "/** `'sqlite'` or\n * import { a } from '../accessor/a.ts' */\n// 'postgres'\nconst url = 'sqlite:./strongroom.db'"
    expect(faults({ [`${core}/query/where.ts`]: text })).toEqual([])
  })

  test('refuse a circle of files, however long, unless only types or lazy imports close it', () => {
    const circle = (closing: string) => ({
      [`${core}/query/a.ts`]: "import { b } from './b.ts'",
      [`${core}/query/b.ts`]: "export { c } from './c.ts'",
      [`${core}/query/c.ts`]: closing,
    })
    expect(faults(circle("import { a } from './a.ts'"))).toEqual([
      `the imports go in a circle: ${core}/query/a.ts → ${core}/query/b.ts → ${core}/query/c.ts → ${core}/query/a.ts`,
    ])
    expect(faults(circle("import type { A } from './a.ts'"))).toEqual([])
    expect(faults(circle("const { a } = await import('./a.ts')"))).toEqual([])
  })

  test('refuse that two rooms on one floor need each other', () => {
    expect(
      faults({
        [`${core}/audit/entry.ts`]: "import { select } from '../query/select.ts'",
        [`${core}/query/where.ts`]: "import { redact } from '../audit/redact.ts'",
      }),
    ).toEqual(['rooms import each other in a circle: audit → query → audit'])
  })

  test('count no lines of documentation', () => {
    expect(faults({ [`${core}/query/where.ts`]: `${'/**\n * what it does\n */\n\nwork() // why\n'.repeat(150)}` })).toEqual([])
  })

  test('refuse files over 300 lines, and an exception that nobody needs', () => {
    const path = `${core}/query/where.ts`
    expect(faults({ [path]: 'work()\n'.repeat(301) })).toEqual([`${path}: 301 lines, more than 300`])
    expect(faults({ [path]: 'work()\n'.repeat(301) }, { [path]: 'a table' })).toEqual([])
    expect(faults({ [path]: 'work()\n'.repeat(300) }, { [path]: 'a table' })).toEqual([`${path}: needs no exception from the 300 lines`])
  })
})
