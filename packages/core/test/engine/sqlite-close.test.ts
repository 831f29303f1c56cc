import { existsSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { errorOf, gate, note, sql, stored, test, turns, unit, watch, withNotes } from './sqlite-support.ts'

describe('closing', () => {
  test('finishes the units that are here, and refuses new ones', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const wait = gate()
    const running = engine.write(
      unit(async (connection) => {
        await wait.opened
        void connection.run(sql(`INSERT INTO notes (text) VALUES ('running')`))
      }),
    )
    await turns(2)
    const waiting = engine.write(note('waiting'))
    const closing = engine.close()
    const watched = watch(closing)
    await expect(engine.write(note('late'))).rejects.toMatchObject({ code: 'storage_closed' })
    await expect(engine.define(async () => 0)).rejects.toMatchObject({ code: 'storage_closed' })
    await turns(5)
    expect(watched.settled).toBe(false)
    wait.open()
    await Promise.all([running, waiting, closing])
    expect(stored(file)).toEqual(['running', 'waiting'])
  })

  test('finishes the reads that are here', async ({ open }) => {
    const engine = await withNotes(await open())
    const wait = gate()
    const reading = engine.read(async (connection) => {
      await wait.opened
      return connection.all(sql('SELECT text FROM notes'))
    })
    const closing = engine.close()
    await turns(5)
    wait.open()
    expect(await reading).toEqual([])
    await closing
  })

  test('leaves one whole file, without a write-ahead log', async ({ open, file }) => {
    const engine = await withNotes(await open())
    await engine.write(note('kept'))
    await engine.close()
    expect(existsSync(`${file}-wal`)).toBe(false)
    expect(stored(file)).toEqual(['kept'])
  })

  test('refuses reads and streams afterwards', async ({ open }) => {
    const engine = await withNotes(await open())
    await engine.close()
    const closed = expect.objectContaining({ code: 'storage_closed' })
    expect(() => engine.read((connection) => connection.all(sql('SELECT 1')))).toThrow(closed)
    expect(await errorOf(engine.stream(sql('SELECT 1'), 1)[Symbol.asyncIterator]().next())).toEqual(closed)
  })

  test('ends a stream that is still open', async ({ open, file }) => {
    const engine = await withNotes(await open())
    await Promise.all(['a', 'b', 'c'].map((text) => engine.write(note(text))))
    const stream = engine.stream(sql('SELECT text FROM notes'), 1)[Symbol.asyncIterator]()
    expect(await stream.next()).toEqual({ done: false, value: [{ text: 'a' }] })
    await engine.close()
    expect(await errorOf(stream.next())).toMatchObject({ code: 'storage_closed' })
    expect(existsSync(`${file}-wal`)).toBe(false)
  })

  test('may be asked for twice', async ({ open }) => {
    const engine = await open()
    await Promise.all([engine.close(), engine.close()])
    await engine.close()
  })
})
