import { mkdir, mkdtemp, readdir, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineModel, ModelAccessor, openStorage } from '@strongroom/core'
import { Type } from 'typebox'
import { expect, test, vi } from 'vitest'
import { holdFile } from '../../src/engine/portable-file.ts'
import { withWorkFolder } from '../../src/transfer/work-folder.ts'

const holder = 'held-by-its-process'

test('opening a database removes the work folders of killed processes, and of nobody else, whatever their process ids are', async () => {
  const place = await mkdtemp(join(tmpdir(), 'work-folder-'))
  const make = async (name: string, files: readonly string[]): Promise<string> => {
    const folder = join(place, `.strongroom-work-${name}`)
    await mkdir(folder)
    for (const file of files) await writeFile(join(folder, file), '')
    return folder
  }
  // The server is process 1 of its container, before and after it was killed.
  await make('1-killed', [holder, 'upload.sqlite'])
  const living = await make('999999999-in-another-container', [holder, 'upload.sqlite'])
  await make('1-just-made', [])
  await utimes(await make('1-made-long-ago', []), new Date(0), new Date(0))
  const release = await holdFile(join(living, holder))
  const storage = await openStorage({ url: `sqlite:${join(place, 'app.db')}`, accessors: [] })
  const left = async () => (await readdir(place)).filter((name) => name.startsWith('.strongroom-work-')).sort()
  await vi.waitFor(async () =>
    expect(await left()).toEqual(['.strongroom-work-1-just-made', '.strongroom-work-999999999-in-another-container']),
  )
  release?.()
  await withWorkFolder(join(place, 'app.db'), async () => undefined)
  expect(await left()).toEqual(['.strongroom-work-1-just-made'])
  await storage.close()
})

test('undo takes the copy of the last restore, not that of a later one that never came to its end', async () => {
  const place = await mkdtemp(join(tmpdir(), 'undo-'))
  const tasks = new ModelAccessor(defineModel('tasks', { title: Type.String() }), 'tasks')
  const storage = await openStorage({ url: `sqlite:${join(place, 'app.db')}`, accessors: [tasks] })
  await storage.backup(join(place, 'empty.sqlite'))
  await tasks.insert({ title: 'replaced' })
  await storage.restore(join(place, 'empty.sqlite'))
  await storage.backup(join(place, 'app.db-safety', 'before-restore-99991231T235959999Z.sqlite'))
  await storage.undoRestore()
  expect(await tasks.all()).toMatchObject([{ title: 'replaced' }])
  await storage.close()
})

test('a second process does not restore the same file meanwhile', async () => {
  const place = await mkdtemp(join(tmpdir(), 'second-'))
  const storage = await openStorage({ url: `sqlite:${join(place, 'app.db')}`, accessors: [] })
  await storage.backup(join(place, 'backup.sqlite'))
  await mkdir(join(place, 'app.db-safety'))
  const release = await holdFile(join(place, 'app.db-safety', 'held-while-restoring'))
  await expect(storage.restore(join(place, 'backup.sqlite'))).rejects.toMatchObject({ code: 'state_conflict' })
  release?.()
  await storage.restore(join(place, 'backup.sqlite'))
  await storage.close()
})
