// Installs the workspace, or with a package's name as argument what that package needs to run. Plain JavaScript: any Node from 20 on runs it.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = join(root, 'node_modules', '.bin')
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const [only] = process.argv.slice(2)

/** The status of `pnpm install`. */
function install(...selection) {
  // --trust-lockfile: it was checked when it changed, and asking for the history of 450 packages again at every fresh clone is slow
  const options = ['install', '--frozen-lockfile', '--prefer-offline', '--trust-lockfile', ...selection]
  const { status } = spawnSync('npx', ['-y', '--prefer-offline', packageManager, ...options], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
    env: { npm_config_update_notifier: 'false', ...process.env },
  })
  return status ?? 1
}

// a whole install that stands is kept whole: a smaller one would take the tools away from those who work here
const small = only !== undefined && !existsSync(join(bin, 'vitest'))
let status = small ? install('--prod', '--filter', '.', '--filter-prod', `${only}...`) : install()
// a node_modules from another home's store is replaced by a whole install, and refused by a small one
if (status !== 0 && small && existsSync(bin)) status = install()
if (status !== 0) process.exit(status)

// the tests of other Node versions run on the system's; everything else runs on the one that the workspace brings
if (process.env.STRONGROOM_SYSTEM_NODE) rmSync(join(bin, 'node'), { force: true })

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const recent = major >= 24 || (major === 22 && minor >= 18)
if (!recent && !existsSync(join(bin, 'node'))) {
  console.error(`Strongroom needs Node 22.18 or later, or 24; this is ${process.version}. Install a newer one and run the command again.`)
  process.exit(1)
}
