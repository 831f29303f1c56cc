import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const prefix = '.strongroom-work-'

/**
 * Gives work a private folder beside a file, on the same disk, which is gone afterwards. What a process that was killed has left
 * there is removed first.
 */
export async function withWorkFolder<T>(besides: string, work: (folder: string) => Promise<T>): Promise<T> {
  await removeLeftovers(besides)
  const folder = join(dirname(besides), `${prefix}${process.pid}-${randomBytes(6).toString('hex')}`)
  await mkdir(folder, { mode: 0o700 })
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Removes the work folders of processes that are gone. */
export async function removeLeftovers(besides: string): Promise<void> {
  const place = dirname(besides)
  for (const name of await readdir(place)) {
    const owner = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN
    // What another user has left is not ours to remove.
    if (!Number.isNaN(owner) && !isAlive(owner)) await rm(join(place, name), { recursive: true, force: true }).catch(() => undefined)
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    // Somebody else's process is alive, too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
