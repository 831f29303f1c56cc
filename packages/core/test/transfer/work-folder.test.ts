import { mkdir, mkdtemp, readdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineModel, ModelAccessor, openStorage } from '@strongroom/core'
import { runScript } from '@strongroom/testkit'
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
  const elsewhere = await mkdtemp(join(tmpdir(), 'somebody-elses-'))
  await writeFile(join(elsewhere, holder), '')
  await symlink(elsewhere, join(place, '.strongroom-work-1-link'))
  await utimes(await make('1-made-long-ago', []), new Date(0), new Date(0))
  const release = await holdFile(join(living, holder))
  const storage = await openStorage({ url: `sqlite:${join(place, 'app.db')}`, accessors: [] })
  const left = async () => (await readdir(place)).filter((name) => name.startsWith('.strongroom-work-')).sort()
  await vi.waitFor(async () =>
    expect(await left()).toEqual([
      '.strongroom-work-1-just-made',
      '.strongroom-work-1-link',
      '.strongroom-work-999999999-in-another-container',
    ]),
  )
  release?.()
  await withWorkFolder(join(place, 'app.db'), async () => undefined)
  expect(await left()).toEqual(['.strongroom-work-1-just-made', '.strongroom-work-1-link'])
  expect(await readdir(elsewhere)).toEqual([holder])
  await storage.close()
})

test('opening a database removes what a killed process has left of a safety copy that was to go, and no safety copy', async () => {
  const place = await mkdtemp(join(tmpdir(), 'withdrawn-'))
  const safety = join(place, 'app.db-safety')
  await mkdir(safety)
  for (const name of ['.before-restore-20261130T200504394Z.sqlite.df2e937e272c.removed', 'before-restore-20261130T200504395Z.sqlite'])
    await writeFile(join(safety, name), '')
  const storage = await openStorage({ url: `sqlite:${join(place, 'app.db')}`, accessors: [] })
  await vi.waitFor(async () => expect(await readdir(safety)).toEqual(['before-restore-20261130T200504395Z.sqlite']))
  await storage.close()
})

test('what a process leaves in the temporary folder that is killed while it writes a backup is gone with the next opening', async () => {
  const place = await mkdtemp(join(tmpdir(), 'killed-backup-'))
  const script = runScript(fileURLToPath(new URL('./killed-backup-program.ts', import.meta.url)), { env: { TMPDIR: place } })
  await script.line(/^writing$/)
  await script.kill()
  // The backup's folder, and that of the database in memory.
  expect(await readdir(place)).toHaveLength(2)
  vi.stubEnv('TMPDIR', place)
  const storage = await openStorage({ url: `sqlite:${join(await mkdtemp(join(place, 'app-')), 'app.db')}`, accessors: [] })
  await vi.waitFor(async () => expect((await readdir(place)).filter((name) => name.startsWith('.'))).toEqual([]))
  vi.unstubAllEnvs()
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
