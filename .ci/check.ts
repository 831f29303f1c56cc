// Every check of the repository, one after the other, up to the first that fails. `node .ci/check.ts style types` runs those named.
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)

const published = ['contract', 'core', 'fastify', 'auth', 'client', 'cli']
const vitest = (...args: string[]) => command('vitest', 'run', '--config', 'vitest.workspace.ts', ...args)

/** Two projects at a time, one checker each: 18 s and 2 GB on two cores, where the defaults took 30 s and 4.6 GB. */
const tscWorkers = ['--builders', '2', '--checkers', '1']

interface Step {
  readonly name: string
  readonly title: string
  readonly run: () => void
  /** Not among those that run when nobody names any. */
  readonly byNameOnly?: boolean
}

const steps: readonly Step[] = [
  { name: 'types', title: 'Types of sources and tests (tsc)', run: () => command('tsc', '-b', ...projects(), ...tscWorkers) },
  { name: 'style', title: 'Style (biome)', run: () => command('biome', 'check', '--error-on-warnings') },
  { name: 'unused', title: 'Unused files, exports and dependencies (knip)', run: () => command('knip') },
  { name: 'packages', title: 'What would be published (publint, attw)', run: checkPackages },
  { name: 'secrets', title: 'Secrets (secretlint)', run: () => command('secretlint', '--secretlintignore', '.gitignore', '**/*') },
  { name: 'layers', title: 'Layers', run: () => vitest('--project', 'layers') },
  { name: 'tests', title: 'Tests (vitest)', run: () => vitest() },
  // A quarter more CPU: asked for by name, and held to the thresholds of vitest.workspace.ts.
  { name: 'coverage', title: 'Tests with coverage (vitest)', run: () => vitest('--coverage'), byNameOnly: true },
]

/** The published packages, which emit, and beside them the configurations that only check: tests, examples and their pages, private packages. */
function projects(): string[] {
  return globSync(['packages/*/tsconfig.json', 'packages/*/tsconfig.test.json', 'examples/**/tsconfig.json'], {
    exclude: ['**/node_modules'],
  }).sort()
}

const shell = process.platform === 'win32'
const toolPath = (tool: string): string => join(root, 'node_modules', '.bin', tool)

/** Runs a tool of node_modules/.bin. */
function command(tool: string, ...args: string[]): void {
  const { status, error } = spawnSync(toolPath(tool), args, { stdio: ['ignore', 'inherit', 'inherit'], shell })
  if (error) console.error(error.message)
  if (status !== 0) fail(`${tool} failed`)
}

/** Runs a program whose output is of interest only when it fails. */
function quietly(program: string, ...args: string[]): void {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', shell })
  if (status !== 0) fail(`${error?.message ?? `${stdout}${stderr}`}\n${program} ${args.join(' ')} failed`)
}

/** Packs as for publishing, since pnpm rewrites the manifest then, and looks at the archive. */
function checkPackages(): void {
  command('node', '.ci/bundle.ts')
  const { packageManager } = JSON.parse(readFileSync('package.json', 'utf8')) as { packageManager: string }
  for (const name of published) {
    if (!existsSync(`packages/${name}/dist/index.js`)) fail(`packages/${name} is not built: run the check "types" first`)
    const folder = mkdtempSync(join(tmpdir(), 'strongroom-pack-'))
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    quietly('npx', '-y', '--prefer-offline', packageManager, '--dir', `packages/${name}`, 'pack', '--pack-destination', folder)
    const [archive] = globSync(join(folder, '*.tgz'))
    if (archive === undefined) fail(`pnpm pack made no archive for packages/${name}`)
    quietly(toolPath('publint'), '--strict', archive)
    quietly(toolPath('attw'), '--profile', 'esm-only', archive)
    console.log(`   ${basename(archive)}`)
  }
}

function fail(message: string): never {
  console.error(`\n✗ ${message}`)
  process.exit(1)
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !steps.some((step) => step.name === name))
if (unknown.length > 0) fail(`No check is called ${unknown.join(', ')}; there are: ${steps.map((step) => step.name).join(', ')}`)

for (const step of steps) {
  if (wanted.length > 0 ? !wanted.includes(step.name) : step.byNameOnly) continue
  console.log(`\n━━ ${step.title}`)
  const start = performance.now()
  step.run()
  if (step.name !== 'tests' && step.name !== 'coverage') console.log(`   done in ${((performance.now() - start) / 1000).toFixed(1)} s`)
}
