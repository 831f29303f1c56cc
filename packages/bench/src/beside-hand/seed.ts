import { openStorage } from '@strongroom/core'
import { userAccessor } from '../strongroom-users.ts'
import { openHandStore } from './hand-store.ts'

/** Records that both sides have before anything is measured; deletes walk through them. */
const seeded = 300_000
const piece = 5_000
/** When what was seeded was made. */
export const moment = '2026-01-31T12:00:00.000Z'

export const person = (index: number) => ({ name: `Person ${index}`, email: `person${index}@example.com`, age: index % 100 })

/** Makes a database of ours and one of theirs with the same records. */
export async function seed(ours: string, theirs: string, records = seeded): Promise<void> {
  await seedStrongroom(ours, records)
  const hand = openHandStore(theirs, { synchronous: 'NORMAL' })
  for (const people of pieces(records)) hand.insertMany(people, 'bench', moment)
  hand.close()
}

/** Makes a database of ours. */
export async function seedStrongroom(file: string, records: number): Promise<void> {
  const users = userAccessor()
  const storage = await openStorage({ url: `sqlite:${file}`, accessors: [users], sqlite: { synchronous: 'NORMAL' } })
  for (const people of pieces(records)) {
    await users.insertMany(
      people.map((each) => ({ ...each, created_at: new Date(moment) })),
      { actor: 'bench' },
    )
  }
  await storage.close()
}

/** People, some thousands at a time. */
export function* pieces(records: number): Generator<ReturnType<typeof person>[]> {
  for (let start = 0; start < records; start += piece)
    yield Array.from({ length: Math.min(piece, records - start) }, (_, index) => person(start + index))
}
