import type { DatabasePlace } from './engine.ts'

/** The file that a database is, where it is one. */
export function fileOf(place: DatabasePlace): string | undefined {
  return place.engine === 'sqlite' ? place.path : undefined
}
