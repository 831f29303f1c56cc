import type { DatabasePlace } from './engine.ts'

/** Where the tables are that the last restore has replaced, if any are left, in an engine that keeps them beside the live ones. */
export async function lastSafetyPlace(place: DatabasePlace): Promise<DatabasePlace | undefined> {
  const { lastSafetySchema } = await import('./postgres/replace-tables.ts')
  return lastSafetySchema(place)
}
