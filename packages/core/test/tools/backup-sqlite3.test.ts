import { execFileSync } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describeEngines, needs, tempFolder } from '@strongroom/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { hostile, hostileId, hostileThings, openThings } from '../transfer/hostile-things.ts'

const ask = (file: string, sql: string): string => execFileSync('sqlite3', [`file:${file}?mode=ro`, sql], { encoding: 'utf8' }).trim()

/** What every file of ours has to pass, with the same records in it. */
function expectWhole(file: string): void {
  expect(ask(file, 'PRAGMA integrity_check')).toBe('ok')
  expect(ask(file, 'PRAGMA foreign_key_check')).toBe('')
  expect(ask(file, 'SELECT hex(text) FROM things ORDER BY rowid').split('\n').filter(Boolean).toSorted()).toEqual(texts)
  expect(ask(file, "SELECT count(*) FROM strongroom_audit_log WHERE operation = 'create'")).toBe(String(hostileThings.length + 1))
}

const texts = hostileThings
  .map(({ text }) => Buffer.from(text).toString('hex').toUpperCase())
  .filter(Boolean)
  .toSorted()

describeEngines("Debian's sqlite3", (engine) => {
  const start = async () => {
    const url = await engine.freshUrl()
    const opened = await openThings(url)
    onTestFinished(() => opened.storage.close())
    const folder = await tempFolder('backup-sqlite3')
    onTestFinished(folder.remove)
    await opened.things.insertMany(hostileThings.map((row, index) => ({ ...row, id: hostileId(index), like: hostileId(index) })))
    await opened.keys.insert({ thing: hostileId(hostile.length - 1) })
    const backup = join(folder.path, 'backup.sqlite')
    await opened.storage.backup(backup)
    return { ...opened, url, backup }
  }

  test('opens a backup, and finds it whole', async () => {
    expectWhole((await start()).backup)
  })

  needs(engine, 'oneFile', () => {
    test('opens a database that was restored, and its safety copy', async () => {
      const { storage, backup, url } = await start()
      await storage.restore(backup)
      const live = url.slice('sqlite:'.length)
      expectWhole(live)
      const [safety = ''] = await readdir(`${live}-safety`)
      expectWhole(join(`${live}-safety`, safety))
    })
  })
})
