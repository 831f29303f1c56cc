import type { DatabasePlace } from '../../engine/engine.ts'
import { databaseFile, openEngine } from '../../engine/open-engine.ts'
import { prepareSchema } from '../../schema/prepare-schema.ts'

/** Milliseconds for reaching a server. */
export const connectWait = 5_000

/** The target is not opened as a database before it is one. */
export function targetPlace(url: string): DatabasePlace {
  const file = databaseFile(url)
  return file === undefined ? { engine: 'postgres', url, connectWait } : { engine: 'sqlite', path: file }
}

/** What the first start would do: the log is made append-only, and entries that waited for their place get one. */
export async function settle(url: string): Promise<void> {
  const engine = await openEngine(url, { sqlite: {}, postgres: { poolSize: 2 } })
  try {
    await prepareSchema(engine, [], { createTables: true })
  } finally {
    await engine.close()
  }
}
