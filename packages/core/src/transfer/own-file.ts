import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileOf } from '../engine/database-place.ts'
import type { DatabasePlace } from '../engine/engine.ts'

/** What SQLite puts behind the name of a database: the file itself, and those that belong to it. */
const ownEndings = ['', '-wal', '-shm', '-journal']

/** Whether a path leads to an open database, or to a file that belongs to it. */
export async function ownFile(place: DatabasePlace, path: string): Promise<boolean> {
  const live = fileOf(place)
  if (live === undefined) return false
  const found = await stat(path).catch(() => undefined)
  for (const own of ownEndings.map((ending) => `${live}${ending}`)) {
    if (resolve(own) === resolve(path)) return true
    // Links lead there, too.
    const file = found && (await stat(own).catch(() => undefined))
    if (file && file.ino === found.ino && file.dev === found.dev) return true
  }
  return false
}
