import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { tempFolder } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { startServer } from '../../src/server-process.ts'

test("Debian's sqlite3 opens a database after kill -9 and finds it whole", { timeout: 60_000 }, async () => {
  const folder = await tempFolder('sqlite3')
  const database = join(folder.path, 'killed.db')
  const server = await startServer(database)
  const names = Array.from({ length: 50 }, (_, index) => `counter ${index}`)
  const statuses = await Promise.all(
    names.map(async (name) => {
      const headers = { 'content-type': 'application/json', 'x-user': 'tools' }
      return (await fetch(`${server.url}/counters`, { method: 'POST', headers, body: JSON.stringify({ name }) })).status
    }),
  )
  await server.kill()
  expect(new Set(statuses)).toEqual(new Set([201]))
  const ask = (sql: string): string => execFileSync('sqlite3', [database, sql], { encoding: 'utf8' }).trim()
  expect(ask('PRAGMA integrity_check')).toBe('ok')
  expect(ask('PRAGMA foreign_key_check')).toBe('')
  expect(ask('SELECT count(*) FROM counters')).toBe('50')
  expect(ask("SELECT count(DISTINCT record_id), count(*) FROM strongroom_audit_log WHERE operation = 'create'")).toBe('50|50')
  await folder.remove()
})
