import { rename, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { defineModel, ModelAccessor, UsageError } from '@strongroom/core'
import { describeEngines, needs } from '@strongroom/testkit'
import { Type } from 'typebox'
import { expect, test, vi } from 'vitest'
import { heardError, tellError } from '../../src/transfer/worker/messages.ts'
import { rejectionOf, storagesOn } from '../support.ts'
import { filesIn, freshFolder } from './schedule-support.ts'

const Note = defineModel('notes', { text: Type.String() })

describeEngines('what an export and a backup are written to', (engine) => {
  const open = storagesOn(engine)

  test.each(['export', 'backup'] as const)('is a file or a stream: %s', async (kind) => {
    const storage = await open([new ModelAccessor(Note, 'notes')])
    const folder = await freshFolder()
    for (const target of ['', ' ', folder, 7, undefined, {}]) {
      // Whoever writes no types can pass anything.
      expect(await rejectionOf(storage[kind](target as string)), String(target)).toBeInstanceOf(UsageError)
    }
    const ended = new PassThrough()
    ended.destroy()
    await rejectionOf(storage[kind](ended))
    expect(await filesIn(folder)).toEqual([])
    // A thread that nobody reads from would keep the process alive, and its moment of the database.
    await vi.waitFor(() => expect(process.getActiveResourcesInfo()).not.toContain('MessagePort'))
  })

  test('options that make no sense are named', async () => {
    const storage = await open([new ModelAccessor(Note, 'notes')])
    const file = join(await freshFolder(), 'export.zip')
    for (const options of [{ tables: 'notes' }, { tables: [7] }, { spreadsheet: 'no' }, { zip: true }]) {
      expect(await rejectionOf(storage.export(file, options as object)), JSON.stringify(options)).toBeInstanceOf(UsageError)
    }
  })

  test('what is no backup to restore is refused with a sentence, and so are options that there are not', async () => {
    const storage = await open([new ModelAccessor(Note, 'notes')])
    const folder = await freshFolder()
    const backup = join(folder, 'backup.sqlite')
    await storage.backup(backup)
    const missing = join(folder, 'missing.sqlite')
    const refusals: [source: unknown, options: unknown, words: string][] = [
      ...[7, undefined, {}, null].map((source): [unknown, unknown, string] => [source, {}, 'Say what to restore']),
      [' ', {}, 'is empty'],
      [folder, {}, `${folder} is a folder`],
      [missing, {}, `There is no file ${missing}`],
      [backup, { dryrun: true }, '"dryrun" is no option'],
      [backup, { dryRun: 'no' }, 'dryRun of restore is true or false'],
      [backup, { maxBytes: 'all' }, 'maxBytes of restore is a number'],
      [backup, null, 'are an object'],
    ]
    for (const [source, options, words] of refusals) {
      // Whoever writes no types can pass anything.
      const refused = await rejectionOf(storage.restore(source as string, options as object))
      expect(refused, words).toMatchObject({ code: 'invalid_options', message: expect.stringContaining(words) })
    }
    expect(await rejectionOf(storage.undoRestore({ dryrun: true } as object))).toMatchObject({ code: 'invalid_options' })
    for (const source of [{ notes: 7 }, { notes: undefined }, { notes: null }, 7, folder, { notes: folder }, missing, { notes: missing }]) {
      const refused = await rejectionOf(storage.import(source as string))
      expect(refused, JSON.stringify(source)).toMatchObject({ code: 'invalid_options' })
    }
    expect((await storage.audit.find()).length).toBe(0)
  })

  needs(engine, 'oneFile', () => {
    test('is made of the file that there is: one that was moved away is unavailable, and its path is told nobody', async () => {
      const url = await engine.freshUrl()
      const path = url.slice('sqlite:'.length)
      const storage = await open([new ModelAccessor(Note, 'notes')], { url })
      const folder = await freshFolder()
      await storage.backup(join(folder, 'backup.sqlite'))
      await rename(path, `${path}-elsewhere`)
      const attempts = [
        () => storage.backup(join(folder, 'b.sqlite')),
        () => storage.backup(new PassThrough()),
        () => storage.export(join(folder, 'e.zip')),
        () => storage.export(new PassThrough()),
        () => storage.restore(join(folder, 'backup.sqlite')),
      ]
      for (const attempt of attempts) {
        expect(await rejectionOf(attempt())).toMatchObject({ code: 'storage_unavailable', message: expect.not.stringContaining('/') })
      }
      expect(await filesIn(folder)).toEqual(['backup.sqlite'])
    })

    test('is not restored from itself: what only its log has would be left out', async () => {
      const url = await engine.freshUrl()
      const path = url.slice('sqlite:'.length)
      const storage = await open([new ModelAccessor(Note, 'notes')], { url })
      const link = join(await freshFolder(), 'link.sqlite')
      await symlink(path, link)
      for (const source of [path, `${path}-wal`, link]) {
        const refused = await rejectionOf(storage.restore(source))
        expect(refused).toMatchObject({ code: 'invalid_options', message: expect.stringContaining('belongs to the open database') })
      }
    })

    test('is never the open database, nor a file that belongs to it: all that is written later would be lost', async () => {
      const url = await engine.freshUrl()
      const path = url.slice('sqlite:'.length)
      const notes = new ModelAccessor(Note, 'notes')
      const storage = await open([notes], { url })
      const link = join(await freshFolder(), 'link.sqlite')
      await symlink(path, link)
      for (const target of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`, link]) {
        for (const kind of ['export', 'backup'] as const) {
          const error = await rejectionOf(storage[kind](target))
          expect(error).toMatchObject({ code: 'invalid_options', message: expect.stringContaining('belongs to the open database') })
        }
      }
      await notes.insert({ text: 'kept' })
      await storage.close()
      const again = await open([new ModelAccessor(Note, 'notes')], { url })
      expect(await again.accessor(Note).count()).toBe(1)
    })
  })
})

test('what fails in a thread is what it would be in this one', () => {
  for (const [code, name] of [
    ['storage_busy', 'StorageBusyError'],
    ['storage_full', 'StorageUnavailableError'],
    ['validation_failed', 'StrongroomError'],
  ] as const) {
    const heard = heardError({ ...tellError(new Error('no room')), code })
    expect(heard).toMatchObject({ name, code, message: 'no room' })
    if (code !== 'validation_failed') expect(heard).toMatchObject({ retryAfter: expect.any(Number) })
  }
})
