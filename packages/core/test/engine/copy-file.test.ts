import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempFolder } from '@strongroom/testkit'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { copySqliteFile } from '../../src/engine/sqlite/copy-file.ts'

test('a copy is one moment of the database, whatever is written and brought into the file between its steps', async () => {
  const { path: folder, remove } = await tempFolder('copy')
  onTestFinished(remove)
  const [path, target] = [join(folder, 'live.db'), join(folder, 'copy.sqlite')]
  const live = new Database(path)
  onTestFinished(() => void live.close())
  live.pragma('journal_mode = WAL')
  live.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)')
  const insert = live.prepare('INSERT INTO notes (text) VALUES (?)')
  live.transaction(() => {
    for (let row = 0; row < 10_000; row++) insert.run('a note '.repeat(30))
  })()
  let steps = 0
  await copySqliteFile(path, target, () => {
    insert.run('later')
    live.prepare("UPDATE notes SET text = 'changed' WHERE id % 100 = ?").run(steps++)
    live.pragma('wal_checkpoint(PASSIVE)')
  })
  expect(steps).toBeGreaterThan(5)
  const copy = new Database(target, { readonly: true })
  expect(copy.pragma('integrity_check', { simple: true })).toBe('ok')
  expect(copy.prepare('SELECT count(*) AS notes, count(DISTINCT text) AS texts FROM notes').get()).toEqual({ notes: 10_000, texts: 1 })
  copy.close()
  // It can be read where no log can be made: on a disk that nobody may write to (https://sqlite.org/fileformat2.html, offsets 18 and 19).
  expect([...(await readFile(target)).subarray(18, 20)]).toEqual([1, 1])
  expect((await readdir(folder)).filter((name) => name.startsWith('copy'))).toEqual(['copy.sqlite'])
})
