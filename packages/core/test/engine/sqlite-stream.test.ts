import { existsSync } from 'node:fs'
import { describe, expect } from 'vitest'
import type { Engine, StoredRow } from '../../src/engine/engine.ts'
import { errorOf, note, sql, test, turns, unit, watch, withNotes } from './sqlite-support.ts'

const all = sql('SELECT id, text FROM notes ORDER BY id')

async function withHundred(engine: Engine): Promise<Engine> {
  await withNotes(engine)
  await Promise.all(Array.from({ length: 100 }, (_, index) => engine.write(note(`${index}`))))
  return engine
}

describe('a stream', () => {
  test('hands out all rows in chunks', async ({ open }) => {
    const engine = await withHundred(await open())
    const sizes: number[] = []
    const rows: StoredRow[] = []
    for await (const chunk of engine.stream(all, 30)) {
      sizes.push(chunk.length)
      rows.push(...chunk)
    }
    expect(sizes).toEqual([30, 30, 30, 10])
    expect(rows.map((row) => row.text)).toEqual(Array.from({ length: 100 }, (_, index) => `${index}`))
  })

  test('is empty when there is nothing, and takes parameters', async ({ open }) => {
    const engine = await withHundred(await open())
    const chunks: StoredRow[][] = []
    for await (const chunk of engine.stream(sql('SELECT text FROM notes WHERE id = ?', 7), 10)) chunks.push(chunk)
    for await (const chunk of engine.stream(sql('SELECT text FROM notes WHERE id = ?', -7), 10)) chunks.push(chunk)
    expect(chunks).toEqual([[{ text: '6' }]])
  })

  test('is one snapshot, whatever is written meanwhile, and holds no writer up', async ({ open }) => {
    const engine = await withHundred(await open())
    let count = 0
    for await (const chunk of engine.stream(all, 10)) {
      count += chunk.length
      await engine.write(unit((connection) => connection.run(sql('DELETE FROM notes'))))
      await engine.write(note(`later ${count}`))
    }
    expect(count).toBe(100)
  })

  test('lets the event loop turn between chunks, however fast it is read', async ({ open }) => {
    const engine = await withHundred(await open())
    const other = watch(turns(5))
    const seen: boolean[] = []
    for await (const _ of engine.stream(all, 10)) seen.push(other.settled)
    expect(seen[0]).toBe(false)
    expect(seen.at(-1)).toBe(true)
  })

  test('keeps integers past 2^53', async ({ open }) => {
    const engine = await open()
    for await (const chunk of engine.stream(sql('SELECT 9007199254740993 AS a, 5 AS b'), 10))
      expect(chunk).toEqual([{ a: 9007199254740993n, b: 5 }])
  })

  test('cannot write, and fails like any other read', async ({ open }) => {
    const engine = await withHundred(await open())
    const drain = async (text: string) => {
      for await (const _ of engine.stream(sql(text), 10));
    }
    expect(await errorOf(drain('SELEKT'))).toMatchObject({ code: 'internal_error' })
    expect(await errorOf(drain(`DELETE FROM notes RETURNING id`))).toMatchObject({ code: 'storage_unavailable' })
    expect(await engine.read((connection) => connection.all(sql('SELECT count(*) AS count FROM notes')))).toEqual([{ count: 100 }])
  })

  test('lets go of its connection at its end, when it is left early, and when it fails', async ({ open, file }) => {
    const engine = await withHundred(await open())
    for await (const _ of engine.stream(all, 10)) break
    for await (const _ of engine.stream(all, 1_000));
    await errorOf(engine.stream(sql('SELEKT'), 10)[Symbol.asyncIterator]().next())
    await engine.close()
    // The last connection to a database removes its write-ahead log.
    expect(existsSync(`${file}-wal`)).toBe(false)
  })
})
