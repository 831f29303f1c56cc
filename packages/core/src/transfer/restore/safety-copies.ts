import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Safety copies that are kept: each is as large as the database. */
const kept = 3

const form = /^before-restore-\d{8}T\d{9}Z\.sqlite$/

/** The folder of a database file's safety copies. */
export function safetyFolder(path: string): string {
  return `${path}-safety`
}

/** The path of a new safety copy. */
export async function newSafetyCopy(path: string): Promise<string> {
  const folder = safetyFolder(path)
  await mkdir(folder, { mode: 0o700, recursive: true })
  return join(folder, `before-restore-${new Date().toISOString().replaceAll(/[-:.]/g, '')}.sqlite`)
}

/** The safety copies of a database file, the newest first. */
export async function safetyCopies(path: string): Promise<string[]> {
  const folder = safetyFolder(path)
  const names = await readdir(folder).catch(() => [])
  return names
    .filter((name) => form.test(name))
    .sort()
    .reverse()
    .map((name) => join(folder, name))
}

/** Removes the oldest copies, and what a killed process has left half-made. */
export async function thinOut(path: string): Promise<void> {
  const folder = safetyFolder(path)
  for (const name of await readdir(folder)) if (name.endsWith('.partial')) await rm(join(folder, name), { force: true })
  for (const copy of (await safetyCopies(path)).slice(kept)) await rm(copy, { force: true })
}
