import { databaseFile } from './open-engine.ts'

/** Throws UsageError `invalid_options` for the URL of a pooler that hands sessions on with each transaction. Nobody shares those of a file. */
export async function assertOwnSession(url: string, connectWait: number): Promise<void> {
  if (databaseFile(url) !== undefined) return
  const postgres = await import('./postgres/own-session.ts')
  await postgres.assertOwnSession(url, connectWait)
}
