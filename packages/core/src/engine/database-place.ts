import { stat } from 'node:fs/promises'
import { StorageUnavailableError } from '../errors.ts'
import type { DatabasePlace } from './engine.ts'

/** The file that a database is, where it is one. */
export function fileOf(place: DatabasePlace): string | undefined {
  return place.engine === 'sqlite' ? place.path : undefined
}

/** Throws StorageUnavailableError where the file of a database was moved away: who has it open goes on with it, and nobody else finds it. */
export async function assertInPlace(place: DatabasePlace): Promise<void> {
  const file = fileOf(place)
  if (file === undefined) return
  await stat(file).catch((cause) => {
    throw fileGone(cause)
  })
}

export function fileGone(cause: unknown): StorageUnavailableError {
  return new StorageUnavailableError('storage_unavailable', "The database's file is no longer where it was, or cannot be read.", { cause })
}
