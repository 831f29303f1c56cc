import { createReadStream } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { removeFile, removeWithdrawn, withdrawFile } from '../../engine/remove-file.ts'
import { UsageError } from '../../errors.ts'
import { writeWholeFile } from '../files.ts'
import type { BackupTarget } from './backup-target.ts'

/**
 * Keeps scheduled backups as files in a folder: each is there as a whole or not at all, also after a power loss, and only for its owner to read.
 *
 * @param path the folder, which is made when it is not there
 * @example openStorage({ url, accessors, backups: { every: '1h', keep: 24, target: folderTarget('/mnt/backups') } })
 */
export function folderTarget(path: string): Required<BackupTarget> {
  const place = resolve(path)
  return {
    place,
    write: async (name, bytes) => {
      await mkdir(place, { recursive: true, mode: 0o700 })
      await writeWholeFile(fileIn(place, name), bytes)
    },
    list: async () => (await namesIn(place)).filter((name) => !name.startsWith('.')),
    read: (name): Readable => createReadStream(fileIn(place, name)),
    remove: async (name) => {
      const file = fileIn(place, name)
      const halves = (await namesIn(place)).filter((found) => found.startsWith(`.${name}.`) && found.endsWith('.partial'))
      await withdrawFile(file)
      for (const half of halves) await removeFile(join(place, half))
      await removeWithdrawn(place)
    },
  }
}

function fileIn(place: string, name: string): string {
  if (name === basename(name) && /^\w/.test(name)) return join(place, name)
  throw new UsageError('invalid_options', `"${name}" is no name of a backup.`)
}

/** A folder that nobody has made yet is empty. */
async function namesIn(place: string): Promise<string[]> {
  try {
    return await readdir(place)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
