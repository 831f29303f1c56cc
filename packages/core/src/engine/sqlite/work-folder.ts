import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { chmod, lstat, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { removeFile } from '../remove-file.ts'
import { holdFile } from './held-file.ts'

/** A private folder that is gone when it is removed, or with the process; one that a killed process has left is known by its lock. */
export interface WorkFolder {
  readonly path: string
  remove(): Promise<void>
  /** Blocks the thread. */
  removeNow(): void
}

const prefix = '.strongroom-work-'
/** A folder gets its name when it is held: nobody can take it for one that was left. */
const makingPrefix = '.strongroom-making-'
const holder = 'held-by-its-process'

/** Milliseconds after which a folder that is being made, or removed, is nobody's: both are done at once. */
const unheldTime = 60_000

/** Folders that go with the process. */
const passing = new Set<WorkFolder>()

/** Makes a private folder in a place, and removes what killed processes have left there. */
export async function makeWorkFolder(place: string): Promise<WorkFolder> {
  await removeLeftovers(place)
  const name = `${process.pid}-${randomBytes(6).toString('hex')}`
  const path = join(place, `${prefix}${name}`)
  const release = await makeHeld(join(place, `${makingPrefix}${name}`), path)
  const letGo = (): void => {
    release()
    passing.delete(folder)
    if (passing.size === 0) process.off('exit', removePassing)
  }
  const folder: WorkFolder = {
    path,
    remove: async () => {
      await removeFolder(path)
      letGo()
    },
    removeNow: () => {
      // Another process that looks whether the folder is held may make a file in it meanwhile.
      rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 5 })
      letGo()
    },
  }
  if (passing.size === 0) process.on('exit', removePassing)
  passing.add(folder)
  return folder
}

async function makeHeld(making: string, path: string): Promise<() => void> {
  await mkdir(making, { mode: 0o700 })
  let release: (() => void) | undefined
  try {
    release = await holdFile(join(making, holder))
    if (!release) throw new Error('somebody holds a file that was just made')
    await chmod(join(making, holder), 0o600)
    await rename(making, path)
    return release
  } catch (error) {
    release?.()
    await rm(making, { recursive: true, force: true })
    throw error
  }
}

function removePassing(): void {
  for (const folder of passing) folder.removeNow()
}

/** The holder goes last: who is killed on the way leaves a folder that can be told from one that is being made. */
async function removeFolder(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) if (entry.isFile() && entry.name !== holder) await removeFile(join(path, entry.name))
  for (const { name } of entries) if (name !== holder) await rm(join(path, name), { recursive: true, force: true })
  await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 5 })
}

/** Removes the work folders of processes that are gone. */
export async function removeLeftovers(place: string): Promise<void> {
  for (const name of await readdir(place)) {
    // What another user has left is not ours to remove, and another process may be quicker.
    if (name.startsWith(prefix) || name.startsWith(makingPrefix)) await removeUnheld(join(place, name)).catch(() => undefined)
  }
}

/** Process ids say nothing of other containers, and a server is the first process of its container again and again: locks tell who is alive. */
async function removeUnheld(path: string): Promise<void> {
  const found = await lstat(path)
  // In a place for all, such as /tmp, a link or a folder of somebody else's could lead anywhere.
  if (!found.isDirectory() || found.uid !== (process.getuid?.() ?? found.uid)) return
  const isHoldable = (await readdir(path)).includes(holder)
  if ((!isHoldable || basename(path).startsWith(makingPrefix)) && Date.now() - found.mtimeMs < unheldTime) return
  if (!isHoldable) return await removeFolder(path)
  const release = await holdFile(join(path, holder))
  if (!release) return
  try {
    await removeFolder(path)
  } finally {
    release()
  }
}
