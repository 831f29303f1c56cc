import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { openSqliteEngine } from '../../src/engine/sqlite/open.ts'
import { note, sql, stored, test, turns, unit, watch, withNotes } from './sqlite-support.ts'

async function lock(file: string): Promise<ChildProcess> {
  const holder = fork(fileURLToPath(new URL('./sqlite-lock-holder.ts', import.meta.url)), [file], { execArgv: [] })
  await once(holder, 'message')
  return holder
}

async function letGo(holder: ChildProcess): Promise<void> {
  holder.send('let go')
  await once(holder, 'exit')
}

describe('while another process holds the write lock', () => {
  test('the event loop stays live, reads go on, and the units wait and are stored afterwards', async ({ open, file }) => {
    const engine = await withNotes(await open({ busyWait: 60_000 }))
    const holder = await lock(file)
    const writes = [engine.write(note('a')), engine.write(note('b', { alone: true })), engine.write(note('c'))]
    const watched = writes.map(watch)
    await turns(2_000)
    expect(engine.read((connection) => connection.all(sql('SELECT count(*) AS count FROM notes')))).toEqual([{ count: 0 }])
    expect(watched.map(({ settled }) => settled)).toEqual([false, false, false])
    await letGo(holder)
    expect(await Promise.all(writes)).toEqual(['a', 'b', 'c'])
    expect(stored(file)).toEqual(['theirs', 'a', 'b', 'c'])
  })

  test('a unit whose wait is over gets a StorageBusyError and is never stored; the lane goes on', async ({ open, file }) => {
    const engine = await withNotes(await open({ busyWait: 50 }))
    const holder = await lock(file)
    const outcomes = await Promise.allSettled([engine.write(note('a')), engine.write(note('b')), engine.define(async () => 'c')])
    const busy = { status: 'rejected', reason: { code: 'storage_busy', status: 503, retryAfter: 1 } }
    expect(outcomes).toMatchObject([busy, busy, busy])
    await letGo(holder)
    await engine.write(note('d'))
    expect(stored(file)).toEqual(['theirs', 'd'])
  })

  test('the queue still has its limit', async ({ open, file }) => {
    const engine = await withNotes(await open({ busyWait: 60_000, queueLimit: 1 }))
    const holder = await lock(file)
    const waiting = engine.write(note('a'))
    await expect(engine.write(note('b'))).rejects.toMatchObject({ code: 'storage_busy' })
    await letGo(holder)
    await waiting
    expect(stored(file)).toEqual(['theirs', 'a'])
  })

  test('a second engine opens, and a close waits for the units that wait', async ({ open, file }) => {
    const engine = await withNotes(await open({ busyWait: 60_000 }))
    const holder = await lock(file)
    const second = await openSqliteEngine({ path: file, busyWait: 60_000 })
    const write = second.write(note('a'))
    const closing = second.close()
    await turns(100)
    await letGo(holder)
    expect(await write).toBe('a')
    await closing
    expect(await engine.read((connection) => connection.all(sql('SELECT text FROM notes')))).toEqual([{ text: 'theirs' }, { text: 'a' }])
  })
})

describe('two engines on one file', () => {
  test('take turns, and lose nothing', async ({ open, file }) => {
    const engines = [await withNotes(await open({ busyWait: 60_000 })), await open({ busyWait: 60_000 })]
    const writes = Array.from({ length: 200 }, (_, index) =>
      engines[index % 2]?.write(unit((connection) => connection.run(sql('INSERT INTO notes (text) VALUES (?)', `${index}`)))),
    )
    await Promise.all(writes)
    expect(stored(file)).toHaveLength(200)
  })
})
