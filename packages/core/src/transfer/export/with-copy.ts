import { join } from 'node:path'
import { fileOf } from '../../engine/database-place.ts'
import type { Engine } from '../../engine/engine.ts'
import { syncMeanwhile } from '../../engine/sync-meanwhile.ts'
import { withWorkFolder } from '../work-folder.ts'

/** The disk has to keep as much again as the copy takes: writers go on meanwhile. */
const spaceFactor = 2

/**
 * Gives work the path of a private file beside a database that is one file, for a copy; undefined where the database is not, or the disk has no
 * room for it. Whoever reads the live file keeps its write-ahead log from ending, for as long as a slow client takes; a copy takes seconds.
 */
export async function withCopy<T>(engine: Engine, work: (copy: string | undefined) => Promise<T>): Promise<T> {
  const file = fileOf(engine.place)
  if (file === undefined || !(await hasRoom(engine))) return await work(undefined)
  return await withWorkFolder(file, async (folder) => {
    const copy = join(folder, 'copy.sqlite')
    return await syncMeanwhile({ free: [copy] }, work(copy))
  })
}

async function hasRoom(engine: Engine): Promise<boolean> {
  const { databaseBytes, freeDiskBytes } = await engine.health()
  return freeDiskBytes !== null && freeDiskBytes >= databaseBytes * spaceFactor
}
