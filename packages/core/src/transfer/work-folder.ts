import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { holdFile } from '../engine/portable-file.ts'

const prefix = '.strongroom-work-'
const holder = 'held-by-its-process'

/** Milliseconds after which a folder without a holder is nobody's: one that is made gets its holder at once. */
const unheldTime = 60_000

/**
 * Gives work a private folder beside a file, on the same disk, which is gone afterwards. What a process that was killed has left
 * there is removed first.
 */
export async function withWorkFolder<T>(besides: string, work: (folder: string) => Promise<T>): Promise<T> {
  await removeLeftovers(besides)
  const folder = join(dirname(besides), `${prefix}${process.pid}-${randomBytes(6).toString('hex')}`)
  await mkdir(folder, { mode: 0o700 })
  let release: (() => void) | undefined
  try {
    release = await holdFile(join(folder, holder))
    return await work(folder)
  } finally {
    await removeFolder(folder)
    release?.()
  }
}

/** The holder goes last: who is killed on the way leaves a folder that can be told from one that is being made. */
async function removeFolder(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names) if (name !== holder) await rm(join(folder, name), { recursive: true, force: true })
  await rm(folder, { recursive: true, force: true })
}

/** Removes the work folders of processes that are gone. */
export async function removeLeftovers(besides: string): Promise<void> {
  const place = dirname(besides)
  for (const name of await readdir(place)) {
    // What another user has left is not ours to remove, and another process may be quicker.
    if (name.startsWith(prefix)) await removeUnheld(join(place, name)).catch(() => undefined)
  }
}

/** Process ids say nothing of other containers, and a server is the first process of its container again and again: locks tell who is alive. */
async function removeUnheld(folder: string): Promise<void> {
  const names = await readdir(folder)
  if (!names.includes(holder)) {
    const { mtimeMs } = await stat(folder)
    if (Date.now() - mtimeMs < unheldTime) return
    return await removeFolder(folder)
  }
  const release = await holdFile(join(folder, holder))
  if (!release) return
  try {
    await removeFolder(folder)
  } finally {
    release()
  }
}
