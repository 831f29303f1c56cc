import { rm } from 'node:fs/promises'
import { ModelAccessor, openStorage } from '@strongroom/core'
import { Note, Thing } from './models.ts'

/** Bytes of one record's text. It stands in the record and in its audit entry. */
const padding = 2_000

const perUnit = 500

/** Makes a backup of a database of so many megabytes, whose records bear a mark. */
export async function makeBackupFile(path: string, mark: string, megabytes: number): Promise<void> {
  const database = `${path}.making`
  const things = new ModelAccessor(Thing, 'things')
  const storage = await openStorage({ url: `sqlite:${database}`, accessors: [things, new ModelAccessor(Note, 'notes')] })
  try {
    const wanted = Math.ceil((megabytes * 1_000_000) / (padding * 2))
    for (let made = 0; made < wanted; made += perUnit) {
      const rows = Array.from({ length: Math.min(perUnit, wanted - made) }, (_, index) => ({
        name: `${mark} ${made + index}`,
        padding: `${mark}${made + index}`.padEnd(padding, '.'),
      }))
      await things.insertMany(rows, { actor: mark })
    }
    await storage.backup(path)
  } finally {
    await storage.close()
    for (const ending of ['', '-wal', '-shm']) await rm(`${database}${ending}`, { force: true })
  }
}
