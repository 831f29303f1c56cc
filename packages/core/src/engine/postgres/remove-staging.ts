import { connectTo, type PostgresPlace } from './connect.ts'
import { dropSchema, restoreSchemas, schemasLike, tryRestoreLock } from './staging.ts'

/**
 * Removes schemas that killed restores were filling. False where somebody restores, or the server has not noticed yet that who did is gone:
 * its session has the lock until then.
 */
export async function removeStaging(place: PostgresPlace): Promise<boolean> {
  const client = await connectTo(place)
  try {
    const schemas = await restoreSchemas(client)
    if (!(await tryRestoreLock(client, schemas))) return false
    for (const name of await schemasLike(client, schemas.staging)) await dropSchema(client, name)
    return true
  } finally {
    await client.close()
  }
}
