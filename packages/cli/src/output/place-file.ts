import { randomBytes } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { chmod, open, rename } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { WrongUse } from '../faults.ts'
import { refuseFolder } from '../refuse-folder.ts'

/** Refuses a path that cannot become a new file, before anybody works for it. */
export function assertFree(path: string, force: boolean): void {
  if (!existsSync(dirname(resolve(path)))) throw new WrongUse(`The folder of ${path} does not exist. Make it, or choose another path.`)
  refuseFolder(path)
  if (!force && existsSync(path)) throw new WrongUse(`${path} exists already. Say --force to replace it, or choose another path.`)
}

/**
 * Makes a file that is there as a whole or not at all: under another name first, to the disk, then renamed. Nobody but its owner may
 * read it: a backup holds everything.
 *
 * @param fill writes the new file at the path that it is given
 */
export async function placeFile<T>(path: string, fill: (partial: string) => Promise<T>): Promise<T> {
  const place = resolve(path)
  const partial = join(dirname(place), `.${basename(place)}.${randomBytes(6).toString('hex')}.partial`)
  // An impatient end of the process leaves nothing, either.
  const remove = (): void => rmSync(partial, { force: true })
  process.once('exit', remove)
  try {
    const filled = await fill(partial)
    await chmod(partial, 0o600)
    await sync(partial)
    await rename(partial, place)
    // A new name is on the disk when its folder is.
    await sync(dirname(place))
    return filled
  } finally {
    remove()
    process.off('exit', remove)
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** `backup-20260131T120000Z.sqlite`: a name for a file of this moment. */
export function momentName(kind: string, ending: string): string {
  return `${kind}-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}.${ending}`
}
