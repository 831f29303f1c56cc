import { appendFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type BackupTarget, folderTarget, openStorage, UsageError } from '@strongroom/core'
import { describeEngines, runScript } from '@strongroom/testkit'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { patiently } from '../../src/transfer/schedule/patience.ts'
import { gate, rejectionOf, storagesOn } from '../support.ts'
import { Clock, filesIn, freshFolder, minute, openSchedule, spoiling } from './schedule-support.ts'

const program = fileURLToPath(new URL('./schedule-program.ts', import.meta.url))
const hour = 60 * minute

describeEngines('scheduled backups', (engine) => {
  const start = async (plan: Partial<Parameters<typeof openSchedule>[1]> = {}) => {
    const [url, folder, clock] = [await engine.freshUrl(), await freshFolder(), new Clock()]
    const one = await openSchedule(url, { target: folderTarget(folder), clock, ...plan })
    return { url, folder, clock, ...one }
  }
  const verdicts = async ({ records }: Pick<Awaited<ReturnType<typeof start>>, 'records'>) =>
    (await records()).map(({ name, verified }) => [name, verified])

  test('are whole files for their owner alone, verified, and named by the second at which they began', async () => {
    const { schedule, folder, records, logged } = await start()
    await schedule.runDue()
    const [record] = await records()
    const path = join(folder, 'backup-20261123T100000Z.sqlite')
    const { size, mode } = await stat(path)
    expect(record).toMatchObject({ name: 'backup-20261123T100000Z.sqlite', place: folder, bytes: size, verified: true, error: null })
    expect(mode & 0o777).toBe(0o600)
    const file = new Database(path, { readonly: true })
    expect(file.pragma('integrity_check', { simple: true })).toBe('ok')
    file.close()
    expect(await filesIn(folder)).toEqual(['backup-20261123T100000Z.sqlite'])
    expect(logged).toEqual(['The scheduled backup backup-20261123T100000Z.sqlite is kept and verified.'])
  })

  test('are made when the interval is over, and not before', async () => {
    const { schedule, clock, records } = await start()
    await schedule.runDue()
    clock.move(hour - 1)
    await schedule.runDue()
    expect(await records()).toHaveLength(1)
    clock.move(1)
    await schedule.runDue()
    expect(await records()).toHaveLength(2)
  })

  test('go on when the clock is set back by a year, and are not made twice when it is set forward', async () => {
    const { schedule, clock, records } = await start()
    await schedule.runDue()
    clock.move(-365 * 24 * hour)
    await schedule.runDue()
    await schedule.runDue()
    expect(await records()).toHaveLength(2)
    clock.move(2 * 365 * 24 * hour)
    await schedule.runDue()
    await schedule.runDue()
    expect(await records()).toHaveLength(3)
  })

  test('are kept up to a number: the oldest go, and files of others stay', async () => {
    const { schedule, clock, folder, ...one } = await start({ keep: 1 })
    for (const name of ['notes.txt', 'backup-20200101T000000Z.sqlite']) await writeFile(join(folder, name), 'somebody else’s')
    for (let round = 0; round < 2; round++) {
      await schedule.runDue()
      clock.move(hour)
    }
    expect(await filesIn(folder)).toEqual(['backup-20200101T000000Z.sqlite', 'backup-20261123T110000Z.sqlite', 'notes.txt'])
    expect(await verdicts(one)).toEqual([['backup-20261123T110000Z.sqlite', true]])
  })

  test('that are damaged on their way are found, and never push out the last whole one', async () => {
    const folder = await freshFolder()
    let spoil = (bytes: Buffer): Buffer => bytes
    const target = spoiling(folder, (bytes) =>
      bytes.pipe(new Transform({ transform: (chunk: Buffer, _encoding, done) => done(null, spoil(Buffer.from(chunk))) })),
    )
    const { schedule, clock, logged, ...one } = await start({ keep: 1, target })
    await schedule.runDue()
    spoil = (bytes) => {
      // The last byte of a chunk is a letter, mostly, which SQLite's own check would not miss.
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
      return bytes
    }
    for (let round = 0; round < 2; round++) {
      clock.move(hour)
      await schedule.runDue()
    }
    expect(await verdicts(one)).toEqual([
      ['backup-20261123T120000Z.sqlite', false],
      ['backup-20261123T100000Z.sqlite', true],
    ])
    expect((await one.records())[0]?.error).toBe('What is kept is not what was written.')
    expect(logged.at(-1)).toContain('What is kept is not what was written.')
  })

  test('that fail are remembered with the reason, leave nothing, and are tried again after a quarter of an hour', async () => {
    const folder = await freshFolder()
    const target = { ...folderTarget(folder) }
    const { schedule, clock, logged, records } = await start({
      target: {
        ...target,
        write: async (name, bytes) => {
          await appendFile(join(folder, name), 'half')
          bytes.resume()
          throw new Error('the bucket is full')
        },
      },
    })
    await schedule.runDue()
    expect(await records()).toMatchObject([{ bytes: null, verified: null, error: 'the bucket is full' }])
    expect(logged).toEqual([expect.stringMatching(/failed. Error: the bucket is full/)])
    expect(await filesIn(folder)).toEqual([])
    clock.move(15 * minute - 1)
    await schedule.runDue()
    expect(await records()).toHaveLength(1)
    clock.move(1)
    await schedule.runDue()
    expect(await records()).toHaveLength(2)
  })

  test('a target that takes no bytes and says that it did is found out', async () => {
    const { schedule, records } = await start({ target: { ...folderTarget(await freshFolder()), write: async () => undefined } })
    await schedule.runDue()
    expect(await records()).toMatchObject([{ bytes: null, error: 'The target has not taken all bytes.' }])
  })

  test.each([
    ['write', 'The target did nothing for 600 seconds.'],
    ['read', 'It could not be checked: The target did nothing for 600 seconds.'],
    ['list', null],
    ['remove', null],
  ] as const)('a target that hangs in "%s" does not hold the schedule', async (where, told) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const hang = (): Promise<never> => {
      queueMicrotask(() => vi.advanceTimersByTime(600_000))
      return new Promise(() => undefined)
    }
    const { schedule, clock, records } = await start({
      keep: where === 'remove' ? 1 : 2,
      target: { ...folderTarget(await freshFolder()), [where]: hang },
    })
    await schedule.runDue()
    clock.move(hour)
    await schedule.runDue()
    const ended = { finished_at: expect.any(Date), error: told }
    expect(await records()).toMatchObject([ended, ended])
    vi.useRealTimers()
  })

  test('whose files somebody has removed are told to be gone, and count no more', async () => {
    const { schedule, clock, folder, records } = await start({ keep: 1 })
    await schedule.runDue()
    await folderTarget(folder).remove('backup-20261123T100000Z.sqlite')
    clock.move(hour)
    await schedule.runDue()
    expect(await records()).toMatchObject([{ verified: true }, { verified: false, error: 'It is no longer where it was kept.' }])
  })

  test('are made by one of many that have the database open', async () => {
    const { url, folder, clock, schedule, records } = await start()
    const others = await Promise.all(Array.from({ length: 3 }, () => openSchedule(url, { target: folderTarget(folder), clock })))
    await Promise.all([schedule, ...others.map((other) => other.schedule)].map((one) => one.runDue()))
    expect(await records()).toMatchObject([{ verified: true }])
    expect(await filesIn(folder)).toHaveLength(1)
  })

  test('are made by another process when their maker was killed, after a minute of silence', async () => {
    const { url, folder, clock, schedule, records } = await start()
    const script = runScript(program, { args: [url, folder, 'write'] })
    await script.line(/^writing$/)
    await script.kill()
    const [lost] = await records()
    clock.move((lost?.started_at.getTime() ?? 0) - clock.now().getTime() + 59_000)
    await schedule.runDue()
    expect(await records()).toMatchObject([{ finished_at: null }])
    clock.move(16 * minute)
    await schedule.runDue()
    expect(await records()).toMatchObject([
      { verified: true },
      { bytes: null, error: 'The process that made it ended before it was done.' },
    ])
    expect(await filesIn(folder)).toHaveLength(1)
  })

  test('whose maker was killed before the check are checked by the next one', async () => {
    const { url, folder, clock, schedule, records } = await start()
    const script = runScript(program, { args: [url, folder, 'read'] })
    await script.line(/^reading$/)
    await script.kill()
    const [lost] = await records()
    clock.move((lost?.started_at.getTime() ?? 0) - clock.now().getTime() + 2 * minute)
    await schedule.runDue()
    const [name = ''] = await filesIn(folder)
    const { size } = await stat(join(folder, name))
    expect(await records()).toMatchObject([{ name, bytes: size, verified: true, error: null }])
  })

  test('of a maker who was silent for too long and comes back are dropped: another one has made its own', async () => {
    const folder = await freshFolder()
    const [written, goOn] = [gate(), gate()]
    const target = folderTarget(folder)
    const slow: BackupTarget = {
      ...target,
      write: async (name, bytes) => {
        written.open()
        await goOn.opened
        await target.write(name, bytes)
      },
    }
    const { url, clock, schedule, records, logged } = await start({ target: slow })
    const running = schedule.runDue()
    await written.opened
    clock.move(16 * minute)
    const other = await openSchedule(url, { target, clock })
    await other.schedule.runDue()
    goOn.open()
    await running
    expect(await records()).toMatchObject([
      { verified: true, name: 'backup-20261123T101600Z.sqlite' },
      { bytes: null, error: 'The process that made it ended before it was done.' },
    ])
    expect(await filesIn(folder)).toEqual(['backup-20261123T101600Z.sqlite'])
    expect(logged).toEqual(['The scheduled backup backup-20261123T100000Z.sqlite was taken over by another process.'])
  })

  test('that run while the storage is closed end at once, and leave nothing', async () => {
    const folder = await freshFolder()
    const written = gate()
    const never = new Promise<void>(() => undefined)
    const target: BackupTarget = {
      ...folderTarget(folder),
      write: async () => {
        written.open()
        await never
      },
    }
    const { url, clock, schedule, close } = await start({ target })
    const running = schedule.runDue()
    await written.opened
    await close()
    await running
    const next = await openSchedule(url, { target: folderTarget(folder), clock })
    expect(await next.records()).toEqual([])
    await next.schedule.runDue()
    expect(await next.records()).toMatchObject([{ verified: true }])
  })

  describe('of a storage', () => {
    const open = storagesOn(engine)

    test('are listed, and survive a restore', async () => {
      const folder = await freshFolder()
      const kept = gate()
      const logger = { info: () => kept.open(), warn: () => undefined, error: () => undefined }
      const storage = await open([], { backups: { every: '1d', keep: 3, target: folder }, logger })
      await kept.opened
      const [backup] = await storage.backups()
      expect(backup).toEqual({
        name: expect.stringMatching(/^backup-\d{8}T\d{6}Z\.sqlite$/),
        place: folder,
        bytes: (await stat(join(folder, backup?.name ?? ''))).size,
        createdAt: expect.any(Date),
        verified: true,
        error: null,
      })
      await storage.restore(join(folder, backup?.name ?? ''))
      expect(await storage.backups()).toEqual([backup])
    })

    test('come one after the other, until it is closed', async () => {
      const twice = gate()
      let written = 0
      const target = folderTarget(await freshFolder())
      const counting: BackupTarget = {
        ...target,
        write: async (name, bytes) => {
          await target.write(name, bytes)
          if (++written === 2) twice.open()
        },
      }
      const storage = await open([], { backups: { every: 1, target: counting } })
      await twice.opened
      await storage.close()
      const names = await target.list()
      expect(names).toEqual([...new Set(names)])
      // The last one may have been on its way.
      expect([written, written - 1]).toContain(names.length)
    })

    test('keep no process alive', async () => {
      const script = runScript(program, { args: [await engine.freshUrl(), await freshFolder()] })
      onTestFinished(async () => void (await script.kill()))
      await script.line(/kept and verified/)
      expect(await script.ended).toEqual({ code: 0, signal: null })
    })
  })
})

describe('the option backups', () => {
  const target = './backups'
  test.each([
    [{ every: '1w', target }, /backups.every is a time like/],
    [{ every: 0, target }, /backups.every is a time like/],
    [{ every: 1.5, target }, /backups.every is a time like/],
    [{ every: '1h', keep: 0, target }, /backups.keep must be/],
    [{ every: '1h', target: '' }, /backups.target is a folder/],
    [{ every: '1h', target: { write: () => undefined } }, /backups.target is a folder/],
    [{ every: '1h', target, folder: 1 }, /"folder" is no option of backups. There are every, keep, target/],
    [true, /backups is an object/],
  ])('%j is refused', async (backups, sentence) => {
    // Whoever writes no types can pass anything.
    const error = await rejectionOf(openStorage({ url: 'sqlite::memory:', accessors: [], backups: backups as never }))
    expect(error).toBeInstanceOf(UsageError)
    expect(String(error)).toMatch(sentence)
  })
})

describe('a folder as target', () => {
  test('takes names, and no paths', async () => {
    const target = folderTarget(await freshFolder())
    for (const name of ['../outside', 'a/b', '.hidden', '']) {
      expect(await rejectionOf(target.remove(name))).toBeInstanceOf(UsageError)
    }
  })

  test('removes what a write that was killed has left', async () => {
    const folder = await freshFolder()
    for (const name of ['.one.sqlite.0a1b.partial', 'one.sqlite', '.two.sqlite.0a1b.partial']) await writeFile(join(folder, name), '')
    const target = folderTarget(folder)
    expect(await target.list()).toEqual(['one.sqlite'])
    await target.remove('one.sqlite')
    expect(await filesIn(folder)).toEqual(['.two.sqlite.0a1b.partial'])
  })

  test('removes what a removal that was killed has left, with the next one', async () => {
    const folder = await freshFolder()
    await writeFile(join(folder, '.two.sqlite.df2e937e272c.removed'), '')
    await folderTarget(folder).remove('one.sqlite')
    expect(await filesIn(folder)).toEqual([])
  })

  test('is empty before it is made', async () => {
    expect(await folderTarget(join(await freshFolder(), 'none')).list()).toEqual([])
  })
})

test('a target is waited for as long as it goes on', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const asked = Promise.withResolvers<() => void>()
  const waiting = patiently({ signal: new AbortController().signal, patience: 1_000 }, (goesOn) => {
    asked.resolve(goesOn)
    return new Promise(() => undefined)
  })
  const failure = rejectionOf(waiting)
  const goesOn = await asked.promise
  for (let taken = 0; taken < 5; taken++) {
    vi.advanceTimersByTime(999)
    goesOn()
  }
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(1_000)
  expect(await failure).toMatchObject({ message: 'The target did nothing for 1 seconds.' })
})
