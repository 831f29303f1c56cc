import { readFileSync } from 'node:fs'
import Database from 'better-sqlite3'

/** Looks at a backup with another program than the one that made it: `node check-backup.ts FILE ACKNOWLEDGED`. Prints what is wrong. */
const [, , file = '', acknowledgedFile = ''] = process.argv
const database = new Database(file, { readonly: true })
// Rows of SQLite's own pragmas; the acknowledged numbers are a list for each writer.
const integrity = database.pragma('integrity_check', { simple: true }) as string
const orphans = (database.pragma('foreign_key_check') as unknown[]).length
const acknowledged = JSON.parse(readFileSync(acknowledgedFile, 'utf8')) as number[][]
let missing = 0
const numbers = database.prepare('SELECT number FROM documents WHERE writer = ?').pluck()
acknowledged.forEach((list, writer) => {
  const found = new Set(numbers.all(writer))
  for (const number of list) if (!found.has(number)) missing++
})
const records = database.prepare('SELECT count(*) FROM documents').pluck().get()
database.close()
const total = acknowledged.reduce((sum, list) => sum + list.length, 0)
process.stdout.write(JSON.stringify({ integrity, orphans, records, acknowledged: total, missing }))
