import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { removeWithdrawn, withdrawFile } from '../../engine/remove-file.ts'

/** Safety copies that are kept: each is as large as the database. */
const kept = 3

const form = /^before-restore-\d{8}T\d{9}Z\.sqlite$/
/** The folder of a database file's safety copies. */
export function safetyFolder(path: string): string {
  return `${path}-safety`
}

/** Makes the folder of a database file's safety copies, and answers the file in it that whoever restores holds. */
export async function safetyHolder(path: string): Promise<string> {
  const folder = safetyFolder(path)
  await mkdir(folder, { mode: 0o700, recursive: true })
  return join(folder, 'held-while-restoring')
}

/** The path of a new safety copy. */
export function newSafetyCopy(path: string): string {
  return join(safetyFolder(path), `before-restore-${new Date().toISOString().replaceAll(/[-:.]/g, '')}.sqlite`)
}

/** The safety copy of this name, if it is left. */
export function safetyCopy(path: string, name: string): string | undefined {
  const copy = join(safetyFolder(path), name)
  return form.test(name) && existsSync(copy) ? copy : undefined
}

/**
 * Removes the oldest safety copies. One that a restore has left which never came to its end is no restore's to undo: it goes with time,
 * as the others do, while that of the last restore stays.
 */
export async function thinOut(path: string, last: string | undefined): Promise<void> {
  const folder = safetyFolder(path)
  const names = (await readdir(folder)).filter((name) => form.test(name)).sort()
  for (const name of names.slice(0, -kept)) if (name !== last) await withdrawFile(join(folder, name))
  await removeWithdrawn(folder)
}
