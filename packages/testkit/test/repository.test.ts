import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8')

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly publishConfig?: { readonly exports?: unknown }
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** The manifests of all packages and examples, with their folders. */
const manifests = globSync('{packages,examples}/*/package.json', { cwd: root })
  .sort()
  // a package.json has this shape, or its package could not be installed
  .map((path) => ({ folder: path.replace('/package.json', ''), manifest: JSON.parse(read(path)) as Manifest }))

describe('the repository', () => {
  test('has at the top what the house names, and dot-files', () => {
    const house = [
      'packages',
      'examples',
      'docs',
      'package.json',
      'pnpm-workspace.yaml',
      'tsconfig.base.json',
      'vitest.workspace.ts',
      'README.md',
    ]
    const expected = ['pnpm-lock.yaml', 'LICENSE', 'CHANGELOG.md', 'CONTRIBUTING.md', 'node_modules']
    const unexpected = readdirSync(root).filter((name) => !name.startsWith('.') && ![...house, ...expected].includes(name))
    expect(unexpected).toEqual([])
  })

  test('runs its tests on the Node that it brings, unless the system was asked for', () => {
    const wanted = existsSync(`${root}node_modules/.bin/node`)
      ? execFileSync(`${root}node_modules/.bin/node`, ['--version'], { encoding: 'utf8' }).trim()
      : process.version
    expect(process.version).toBe(wanted)
    expect(Number(process.versions.node.split('.')[0])).toBeGreaterThanOrEqual(22)
  })

  test('takes the packages of the workspace from their sources', () => {
    const fromCore = createRequire(`${root}packages/core/package.json`)
    expect(fromCore.resolve('@strongroom/contract')).toBe(`${root}packages/contract/src/index.ts`)
  })

  test('gives its packages what they ask of their users: npm start installs no development dependencies', () => {
    const asked = manifests.flatMap(({ manifest }) => Object.keys(manifest.peerDependencies ?? {}))
    const { dependencies } = JSON.parse(read('package.json')) as Manifest
    expect(Object.keys(dependencies ?? {})).toEqual([...new Set(asked)].sort())
  })

  test('has a lockfile that fits every registry', () => {
    expect(read('pnpm-lock.yaml').match(/.*(?:https?:|tarball).*/g)).toBeNull()
  })

  test('pins the actions of its workflows to commits', () => {
    const uses = globSync('.github/workflows/*.yml', { cwd: root }).flatMap((path) => read(path).match(/uses: .*/g) ?? [])
    expect(uses.length).toBeGreaterThan(0)
    for (const line of uses) expect(line).toMatch(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })
})

describe.each(manifests.filter(({ manifest }) => !manifest.private))('$folder, which is published,', ({ folder, manifest }) => {
  test('does not point its users to sources', () => {
    expect(manifest.publishConfig?.exports).toBeDefined()
    expect(JSON.stringify(manifest.publishConfig)).not.toContain('strongroom-source')
  })

  test('tells what it is', () => {
    expect(read(`${folder}/README.md`)).toContain(`# ${manifest.name}`)
  })
})
