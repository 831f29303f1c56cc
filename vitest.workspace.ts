import { existsSync, statfsSync } from 'node:fs'
import { defineConfig, type TestProjectInlineConfiguration, type TestUserConfig } from 'vitest/config'
import { LongestFirst } from './packages/testkit/src/sequencer.ts'

/** Packages of this workspace are taken from their sources: in the modules that vitest loads, and in what Node loads itself. */
const conditions = ['strongroom-source']

// Threads and processes that tests start load sources, whose types Node strips in each of them: kept, that is done once (backups: 9.8 s of
// CPU before, 5.5 s after). It also keeps V8's WebAssembly out of threads: with hundreds of them it crashed now and then (SIGSEGV).
process.env['NODE_COMPILE_CACHE'] ??= `${import.meta.dirname}/node_modules/.cache/compiled`

// The databases of tests live in memory where there is room: half of the time that it takes to open one was spent waiting for a disk.
const [memory, room] = ['/dev/shm', 8 * 2 ** 30]
if (process.env['TMPDIR'] === undefined && existsSync(memory)) {
  const { bavail, bsize } = statfsSync(memory)
  if (bavail * bsize > room) process.env['TMPDIR'] = memory
}

interface Project {
  readonly name: string
  readonly root: string
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  readonly postgres: boolean
  /** Runs the project's *.test-d.ts too. */
  readonly types?: boolean
  /** Runs its files in a process for all, which loads the sources once: 18 files took 81 s of CPU apart and 54 s together. */
  readonly together?: boolean
}

/** Core's tests that change what their process shares (its clock, its modules, what is kept for all storages), or count what it holds open. */
const apart = ['test/model/uuid.test.ts', 'test/health.test.ts', 'test/access/row-security-alone.test.ts', 'test/engine/*.test.ts']

/** One folder's tests. */
export function project({
  name,
  root,
  include = ['test/**/*.test.ts'],
  exclude = ['**/tools/**'],
  postgres,
  types = false,
  together = false,
}: Project): TestProjectInlineConfiguration {
  return {
    extends: true,
    root: `${import.meta.dirname}/${root}`,
    resolve: { conditions },
    ssr: { resolve: { conditions, externalConditions: conditions } },
    test: {
      name,
      include: [...include],
      isolate: !together,
      exclude: ['**/node_modules/**', ...exclude],
      globalSetup: postgres ? [`${import.meta.dirname}/packages/testkit/src/postgres-setup.ts`] : [],
      typecheck: { enabled: types, include: ['test/**/*.test-d.ts'], tsconfig: 'tsconfig.types.json', ignoreSourceErrors: true },
    },
  }
}

/** What holds for every test, in .ci/vitest.tools.ts too. */
export const settings = {
  pool: 'forks',
  maxWorkers: 2,
  sequence: { sequencer: LongestFirst },
  execArgv: conditions.map((condition) => `--conditions=${condition}`),
  // milliseconds; generous, since some tests start servers and processes on machines that are busy
  testTimeout: 30_000,
  hookTimeout: 60_000,
  setupFiles: [`${import.meta.dirname}/packages/testkit/src/patience.ts`],
  reporters: ['default', `${import.meta.dirname}/packages/testkit/src/reporter.ts`],
} satisfies TestUserConfig

export default defineConfig({
  test: {
    ...settings,
    projects: [
      project({ name: 'contract', root: 'packages/contract', postgres: false, together: true }),
      project({ name: 'layers', root: 'packages/core', include: ['test/layers.test.ts'], postgres: false }),
      project({
        name: 'core',
        root: 'packages/core',
        exclude: ['**/tools/**', 'test/layers.test.ts', ...apart],
        postgres: true,
        types: true,
        together: true,
      }),
      project({ name: 'core-apart', root: 'packages/core', include: apart, postgres: true }),
      project({ name: 'fastify', root: 'packages/fastify', postgres: true, together: true }),
      project({ name: 'auth', root: 'packages/auth', postgres: true }),
      project({ name: 'openapi', root: 'packages/openapi-check', postgres: false }),
      project({ name: 'client', root: 'packages/client', postgres: true, types: true }),
      project({ name: 'cli', root: 'packages/cli', postgres: true }),
      project({ name: 'repository', root: 'packages/testkit', postgres: true }),
      project({ name: 'soak', root: 'packages/soak', postgres: true }),
      project({ name: 'examples', root: 'examples', include: ['*/test/**/*.test.ts'], postgres: true }),
    ],
    coverage: {
      provider: 'v8',
      include: ['packages/{contract,core,fastify,auth,client,cli}/src/**/*.ts'],
      reporter: ['text-summary', 'json-summary'],
      reportsDirectory: `${import.meta.dirname}/.coverage`,
      thresholds: { lines: 80, functions: 80, branches: 80, statements: 80 },
    },
  },
})
