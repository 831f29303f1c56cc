import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { tempFolder } from '@strongroom/testkit'
import type { Evidence } from '../evidence.ts'
import type { CampaignOptions } from '../kills.ts'
import { memoryMutants } from './memory-mutants.ts'
import { type Mutant, mutants } from './mutants.ts'
import { pastMutants } from './past-mutants.ts'

const repository = fileURLToPath(new URL('../../../../', import.meta.url))
const packages = ['contract', 'core', 'fastify', 'testkit']
/** Milliseconds; a mutant that waits for ever has been found as well. */
const timeLimit = 180_000

/** What became of a mutant. */
interface Outcome {
  readonly place: string
  readonly file: string
  readonly found: boolean
  /** The first test that failed. */
  readonly by: string | undefined
}

/**
 * Takes the rules away at one place at a time, in a copy of the repository, and runs the tests of access there: each has to fail. What the
 * database holds by itself is tried on PostgreSQL, all else on SQLite.
 * `rounds` is the most mutants to try.
 */
export async function accessMutantsCampaign({ rounds, seed, report = () => undefined }: CampaignOptions): Promise<Evidence> {
  const started = performance.now()
  const chosen = [...mutants, ...pastMutants, ...memoryMutants].slice(0, rounds)
  const folder = await tempFolder('access-mutants')
  const outcomes: Outcome[] = []
  const faults: string[] = []
  try {
    await copyRepository(folder.path)
    for (const engine of ['sqlite', 'postgres'] as const) {
      const sound = await failingTest(folder.path, engine)
      if (sound !== undefined) faults.push(`without any mutation the tests fail: ${sound}`)
    }
    for (const mutant of faults.length > 0 ? [] : chosen) {
      const outcome = await tryMutant(folder.path, mutant, faults)
      outcomes.push(outcome)
      report(`${outcome.found ? 'found   ' : 'SURVIVED'} ${outcome.place}${outcome.by ? ` — ${outcome.by}` : ''}`)
      if (!outcome.found) faults.push(`survived: ${outcome.place} (${outcome.file})`)
    }
  } finally {
    await folder.remove()
  }
  const found = outcomes.filter((outcome) => outcome.found).length
  return {
    campaign: 'access-mutants',
    engine: 'sqlite',
    seed,
    roundsAsked: chosen.length,
    roundsDone: outcomes.length,
    counts: { mutants: outcomes.length, found },
    faults,
    duration: Math.round((performance.now() - started) / 1000),
    details: { outcomes },
  }
}

/** The sources and tests; what is installed is shared. */
async function copyRepository(to: string): Promise<void> {
  await symlink(join(repository, 'node_modules'), join(to, 'node_modules'))
  for (const name of ['package.json', 'tsconfig.base.json', 'vitest.workspace.ts']) await cp(join(repository, name), join(to, name))
  for (const name of packages) {
    const [from, target] = [join(repository, 'packages', name), join(to, 'packages', name)]
    await mkdir(target, { recursive: true })
    for (const part of await readdir(from)) {
      if (part === 'dist') continue
      // Links within the workspace lead to its copies.
      await cp(join(from, part), join(target, part), { recursive: true, verbatimSymlinks: true })
    }
  }
  await writeFile(join(to, 'mutants.config.ts'), config)
}

const config = `import { defineConfig } from 'vitest/config'
import { project, settings } from './vitest.workspace.ts'

const onPostgres = process.env['MUTANTS_ENGINE'] === 'postgres'
const at = (name: string, include = 'test/access/**/*.test.ts') => project({ name, root: 'packages/' + name, include: [include], postgres: onPostgres })
const projects = onPostgres ? [at('core', 'test/access/row-*.test.ts')] : [at('core'), at('fastify')]

export default defineConfig({ test: { ...settings, reporters: ['json'], bail: 1, projects } })
`

async function tryMutant(folder: string, { place, file, from, to, engine = 'sqlite' }: Mutant, faults: string[]): Promise<Outcome> {
  const path = join(folder, file)
  const source = await readFile(path, 'utf8')
  if (source.split(from).length !== 2) {
    faults.push(`${file} has not exactly one place "${from.slice(0, 60)}"`)
    return { place, file, found: false, by: undefined }
  }
  await writeFile(
    path,
    source.replace(from, () => to),
  )
  try {
    const by = await failingTest(folder, engine)
    return { place, file, found: by !== undefined, by }
  } finally {
    await writeFile(path, source)
  }
}

interface Results {
  readonly testResults: readonly {
    readonly message?: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

const titles = { sqlite: String.raw`^((?!\[postgres\]).)*$`, postgres: String.raw`\[postgres\]` }

/** The first test of access that fails on an engine; undefined where none does. */
async function failingTest(folder: string, engine: 'sqlite' | 'postgres'): Promise<string | undefined> {
  const vitest = join(repository, 'node_modules/vitest/vitest.mjs')
  const args = [vitest, 'run', '--config', 'mutants.config.ts', '--outputFile', 'results.json', '-t', titles[engine]]
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  try {
    await promisify(execFile)(process.execPath, args, {
      cwd: folder,
      env: { ...env, MUTANTS_ENGINE: engine },
      timeout: timeLimit,
      maxBuffer: 1 << 26,
    })
    return undefined
  } catch (error) {
    const text = await readFile(join(folder, 'results.json'), 'utf8').catch(() => undefined)
    const ending = withoutPaths(String(error), folder).slice(0, 300)
    if (text === undefined) return ending
    // The reporter writes this form.
    const { testResults } = JSON.parse(text) as Results
    const failed = testResults.flatMap(({ assertionResults }) => assertionResults).find(({ status }) => status === 'failed')
    return failed?.fullName ?? withoutPaths(testResults.find(({ message }) => message)?.message?.slice(0, 300) ?? ending, folder)
  }
}

/** Evidence tells nothing of the machine it was made on. */
function withoutPaths(text: string, folder: string): string {
  return text.replaceAll(process.execPath, 'node').replaceAll(repository, '').replaceAll(`${folder}/`, '')
}
