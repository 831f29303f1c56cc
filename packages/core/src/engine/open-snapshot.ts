import type { DatabasePlace, Reach, Snapshot } from './engine.ts'

/**
 * Opens one moment of a database for reading: the rows of every tenant, unless it is for a caller. On SQLite reading blocks the thread: that
 * is meant for a thread of its own.
 */
export async function openSnapshot(place: DatabasePlace, reach: Reach = 'every'): Promise<Snapshot> {
  if (place.engine === 'sqlite') {
    const { openSqliteSnapshot } = await import('./sqlite/snapshot.ts')
    return openSqliteSnapshot(place.path)
  }
  const { openPostgresSnapshot } = await import('./postgres/snapshot.ts')
  return openPostgresSnapshot(place, reach)
}
