import type { DatabasePlace, Snapshot } from './engine.ts'

/** Opens one moment of a database for reading. On SQLite reading blocks the thread: that is meant for a thread of its own. */
export async function openSnapshot(place: DatabasePlace): Promise<Snapshot> {
  if (place.engine === 'sqlite') {
    const { openSqliteSnapshot } = await import('./sqlite/snapshot.ts')
    return openSqliteSnapshot(place.path)
  }
  const { openPostgresSnapshot } = await import('./postgres/snapshot.ts')
  return openPostgresSnapshot(place)
}
