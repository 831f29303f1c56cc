import { openStorage } from '@strongroom/core'
import { moment, pieces } from '../beside-hand/seed.ts'
import { userAccessor } from '../strongroom-users.ts'

/** Makes Strongroom's tables in a PostgreSQL schema, with people whose entries are sealed. */
export async function seedUsers(url: string, records: number): Promise<void> {
  const users = userAccessor()
  const storage = await openStorage({ url, accessors: [users] })
  for (const people of pieces(records))
    await users.insertMany(
      people.map((person) => ({ ...person, created_at: new Date(moment) })),
      { actor: 'bench' },
    )
  await storage.audit.waitUntilSealed()
  await storage.close()
}
