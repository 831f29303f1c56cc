import Database from 'better-sqlite3'
import type { person } from './people.ts'

/** What SQLite takes by itself: prepared statements on the same table, with its indexes, and no entry in the log. */
export function openByHand(file: string) {
  const database = new Database(file)
  for (const pragma of ['synchronous = FULL', 'busy_timeout = 5000']) database.pragma(pragma)
  const get = database.prepare<[number]>('SELECT id, name, email, role, age, created_at, deleted_at FROM people WHERE id = ?')
  const insert = database.prepare<[ReturnType<typeof person> & { readonly version: string }]>(
    "INSERT INTO people (name, email, role, age, created_at, row_version) VALUES (@name, @email, @role, @age, '2026-01-31T12:00:00.000Z', @version)",
  )
  return {
    get: (id: number) => get.get(id),
    insertMany: database.transaction((people: readonly ReturnType<typeof person>[]) => {
      for (const each of people) insert.run({ ...each, version: each.email.slice(0, 16) })
    }).immediate,
    close: () => database.close(),
  }
}
