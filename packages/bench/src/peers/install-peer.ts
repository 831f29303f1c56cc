import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Peer } from './peers.ts'

const root = new URL('../../../../', import.meta.url)

/** The folder of a peer, as a URL. */
export function folderOf({ folder }: Peer): URL {
  return new URL(`packages/bench/peers/${folder}/`, root)
}

/** Installs a peer by its own lockfile into its own folder. Throws with the end of what the installer said. */
export function installPeer(peer: Peer): void {
  // This file is the repository's own.
  const { packageManager } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { readonly packageManager: string }
  const folder = fileURLToPath(folderOf(peer))
  run(folder, 'npx', ['-y', '--prefer-offline', packageManager, 'install', '--frozen-lockfile', '--prefer-offline', '--ignore-scripts'])
  if (peer.prepare) run(folder, process.execPath, peer.prepare)
}

function run(folder: string, program: string, args: readonly string[]): void {
  // Prisma looks for an engine that it does not need to generate a client, and would download it: any program will do.
  const env = { ...process.env, NODE_OPTIONS: '', PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' }
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: folder, encoding: 'utf8', env })
  if (status !== 0) throw new Error(`${program} ${args[0]} failed: ${error?.message ?? `${stdout}${stderr}`.trim().slice(-400)}`)
}
