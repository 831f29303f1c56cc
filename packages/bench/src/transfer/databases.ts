import { openStorage } from '@strongroom/core'
import Database from 'better-sqlite3'
import { userAccessor } from '../strongroom-users.ts'
import { letterAccessor } from './letters.ts'

/** Makes a SQLite database with users, of some 100 bytes each, that nobody logged. */
export async function makeUsers(file: string, count: number): Promise<void> {
  const storage = await openStorage({ url: `sqlite:${file}`, accessors: [userAccessor()] })
  await storage.close()
  const database = new Database(file)
  const insert = `
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
    INSERT INTO users (name, email, age, created_at, row_version)
    SELECT 'Person ' || n, 'person' || n || '@example.com', n % 100, '2026-01-01T00:00:00.000Z', substr(hex(randomblob(8)), 1, 16) FROM numbers`
  database.prepare(insert).run(count)
  database.close()
}

/** Makes a database with letters of `size` characters each, on any engine. */
export async function makeLetters(url: string, count: number, size: number): Promise<void> {
  const letters = letterAccessor()
  const storage = await openStorage({ url, accessors: [letters], transactionTimeLimit: 120_000 })
  const text = Array.from({ length: 97 }, (_, index) => String.fromCharCode(32 + (index % 95))).join('')
  for (let done = 0; done < count; done += 100) {
    const rows = Array.from({ length: Math.min(100, count - done) }, (_, index) => ({
      text: `${done + index} ${text.repeat(Math.ceil(size / text.length))}`.slice(0, size),
    }))
    await letters.insertMany(rows, { actor: 'bench' })
  }
  await storage.close()
}
