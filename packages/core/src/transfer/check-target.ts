import { stat } from 'node:fs/promises'
import type { Engine } from '../engine/engine.ts'
import { UsageError } from '../errors.ts'
import { ownFile } from './own-file.ts'

/**
 * Refuses what no file can be written to. A file that takes the place of an open database takes all that is written later with it.
 * Throws UsageError `invalid_options`.
 */
export async function checkTarget({ place }: Pick<Engine, 'place'>, target: unknown): Promise<void> {
  if (typeof target !== 'string') {
    if (typeof target === 'object' && target !== null && 'write' in target && typeof target.write === 'function') return
    refuse('The target is the path of a file, or a stream that can be written to.')
  }
  if (target.trim() === '') refuse('The target is the path of a file, and this one is empty.')
  const found = await stat(target).catch(() => undefined)
  if (found?.isDirectory()) refuse(`${target} is a folder. Name a file in it.`)
  if (await ownFile(place, target))
    refuse(`${target} belongs to the open database, and what is written to it would be lost. Name another file.`)
}

function refuse(sentence: string): never {
  throw new UsageError('invalid_options', sentence)
}
