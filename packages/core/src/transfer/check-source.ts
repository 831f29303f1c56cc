import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import type { Engine } from '../engine/engine.ts'
import { UsageError } from '../errors.ts'
import { ownFile } from './own-file.ts'

/**
 * Refuses what no backup can be read from. The file of an open database is none: what stands in its log alone would be left out.
 * Throws UsageError `invalid_options`.
 */
export async function checkSource({ place }: Pick<Engine, 'place'>, source: unknown): Promise<void> {
  if (typeof source !== 'string') {
    if (typeof source === 'object' && source !== null && 'pipe' in source && typeof source.pipe === 'function') return
    refuse('Say what to restore: the path of a backup, or a stream with its bytes.')
  }
  await checkReadable(source, 'restore')
  if (await ownFile(place, source)) refuse(`${source} belongs to the open database. Make a backup of it, and restore that.`)
}

/** Refuses the path of what is no file that can be read. Throws UsageError `invalid_options`. */
export async function checkReadable(path: string, purpose: 'restore' | 'import'): Promise<void> {
  if (path.trim() === '') refuse(`The path of the file to ${purpose} is empty.`)
  const found = await stat(path).catch(() => undefined)
  if (!found) refuse(`There is no file ${path} to ${purpose}.`)
  if (found.isDirectory()) refuse(`${path} is a folder. Name the file to ${purpose}.`)
  const readable = await access(path, constants.R_OK).then(
    () => true,
    () => false,
  )
  if (!readable) refuse(`The file ${path} cannot be read. Let this process read it.`)
}

function refuse(sentence: string): never {
  throw new UsageError('invalid_options', sentence)
}
