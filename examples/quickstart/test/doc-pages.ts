import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { docBlocks, docPrograms, freshPostgres } from '@strongroom/testkit'
import { onTestFinished } from 'vitest'

/** The repository. */
export const root = fileURLToPath(new URL('../../../', import.meta.url))
/** What the programs of the docs import: the quickstart has what a user has. */
export const modules = new URL('../node_modules', import.meta.url)

const patterns = [
  'README.md',
  'CONTRIBUTING.md',
  'docs/**/*.md',
  'packages/*/README.md',
  'examples/*/README.md',
  'examples/*/data/README.md',
]

/** Every page of the docs with what is to be run on it. */
export const pages = globSync(patterns, { cwd: root, exclude: ['**/node_modules/**'] })
  .sort()
  .map((page) => {
    const text = readFileSync(join(root, page), 'utf8')
    return { page, text, ...docPrograms(docBlocks(text)) }
  })

/** The programs of all pages. */
export const programs = pages.flatMap(({ page, programs: found }) => found.map((program) => ({ page, line: program.line, program })))

/** An empty PostgreSQL database for the running test. */
export async function postgresUrl(): Promise<string> {
  const { url, remove } = await freshPostgres()
  onTestFinished(remove)
  return url
}
