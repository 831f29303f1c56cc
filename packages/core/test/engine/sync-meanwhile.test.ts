import { execFile } from 'node:child_process'
import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { syncMeanwhile } from '../../src/engine/sync-meanwhile.ts'

test('work that is synced meanwhile ends as it would, whatever becomes of its files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'grows')
  const write = async (): Promise<string> => {
    for (let piece = 0; piece < 20; piece++) await appendFile(path, 'x'.repeat(100_000))
    await rm(path)
    return 'written'
  }
  expect(await syncMeanwhile({ free: [path, join(folder, 'never there')] }, write())).toBe('written')
  await expect(syncMeanwhile({ free: [path], held: [path] }, Promise.reject(new Error('the work failed')))).rejects.toThrow(
    'the work failed',
  )
})

test('a database that SQLite has open keeps its locks', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'app.db')
  const database = new Database(path)
  onTestFinished(() => void database.close())
  database.exec('CREATE TABLE notes (text TEXT)')
  database.exec("BEGIN EXCLUSIVE; INSERT INTO notes VALUES ('ours')")
  const program = `new (require('better-sqlite3'))(${JSON.stringify(path)}, { timeout: 0 }).exec("INSERT INTO notes VALUES ('theirs')")`
  const writeElsewhere = () => promisify(execFile)(process.execPath, ['-e', program])
  await syncMeanwhile({ held: [path] }, expect(writeElsewhere()).rejects.toThrow('database is locked'))
  await expect(writeElsewhere()).rejects.toThrow('database is locked')
})
