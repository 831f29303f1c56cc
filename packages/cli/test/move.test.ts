import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openStorage } from '@strongroom/core'
import { freshPostgres } from '@strongroom/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { makeAccessors } from './models.ts'
import { freshFolder, strongroom } from './support.ts'

/** A database file with a user in it. */
async function source(): Promise<string> {
  const file = join(await freshFolder(), 'app.db')
  const accessors = makeAccessors()
  const storage = await openStorage({ url: `sqlite:${file}`, accessors })
  await accessors[0].insert({ name: 'Ada' })
  await storage.close()
  return file
}

test('strongroom move goes to PostgreSQL and back, and shows that both are the same', async () => {
  const file = await source()
  const server = await freshPostgres()
  onTestFinished(server.remove)
  const there = await strongroom(['move', '--from', file, '--to', server.url], { typed: '' })
  expect(there).toMatchObject({ code: 0, stdout: expect.stringMatching(/users +1 +[0-9a-f]{64}/) })
  expect(there.stderr).toMatch(/Copying.*Verifying/s)
  expect(there.stdout).not.toContain('@')
  const back = join(await freshFolder(), 'back.db')
  const json = await strongroom(['move', '--from', server.url, '--to', back, '--json'])
  expect(json.code).toBe(0)
  expect(json.json).toMatchObject({ resumed: false, to: `sqlite:${back}` })
  for (const { table, sha256 } of json.json.tables) expect(there.stdout).toMatch(new RegExp(`${table} +\\d+ +${sha256}`))
  const accessors = makeAccessors()
  const storage = await openStorage({ url: `sqlite:${back}`, accessors })
  expect(await accessors[0].all()).toMatchObject([{ id: 1, name: 'Ada' }])
  await storage.close()
  const again = await strongroom(['move', '--from', file, '--to', back])
  expect(again).toMatchObject({ code: 3, stderr: expect.stringContaining('not empty') })
})

test.each([
  [['--from', './nowhere.db', '--to', './b.db'], /no database file/],
  [['--from', './nowhere.db'], /from where to where/],
  [['--to', './b.db'], /from where to where/],
  [['--from', 'http://127.0.0.1:3000', '--to', './b.db'], /--from is a database/],
])('strongroom move %j is refused', async (args, sentence) => {
  expect(await strongroom(['move', ...args])).toMatchObject({ code: 2, stderr: expect.stringMatching(sentence) })
  expect(existsSync('./b.db')).toBe(false)
})
