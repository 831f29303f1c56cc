import { statSync } from 'node:fs'
import { describe, expect, vi } from 'vitest'
import { gate, note, stored, test, turns, watch, withNotes } from './sqlite-support.ts'

const megabyte = 1_048_576
const sizeOf = (path: string): number => statSync(path).size
/** A note of five megabytes, by its first letter. */
const large = (letter: string) => note(letter + 'x'.repeat(5 * megabyte))

describe('while another thread reads one moment of the database', () => {
  test('no commit brings the log into the file; afterwards a thread does, then commits again', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const reading = gate()
    engine.readElsewhere(reading.opened)
    for (const letter of 'abcd') await engine.write(large(letter))
    expect(sizeOf(`${file}-wal`)).toBeGreaterThan(20 * megabyte)
    expect(sizeOf(file)).toBeLessThan(megabyte)

    reading.open()
    await vi.waitFor(() => expect(sizeOf(`${file}-wal`)).toBe(0), 10_000)
    const brought = sizeOf(file)
    expect(brought).toBeGreaterThan(20 * megabyte)

    await vi.waitFor(async () => {
      await engine.write(large(`e${performance.now()}`))
      expect(sizeOf(file)).toBeGreaterThan(brought)
    })
  })

  test('it may fail, and there may be several', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const first = gate()
    const second = gate()
    engine.readElsewhere(first.opened.then(() => Promise.reject(new Error('the reader failed'))))
    engine.readElsewhere(second.opened)
    first.open()
    await turns(5)
    await engine.write(large('a'))
    expect(sizeOf(file)).toBeLessThan(megabyte)
    second.open()
    await vi.waitFor(async () => {
      await engine.write(large(`b${performance.now()}`))
      expect(sizeOf(file)).toBeGreaterThan(megabyte)
    })
  })

  test('closing waits for its end', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const reading = gate()
    engine.readElsewhere(reading.opened)
    await engine.write(large('a'))
    const closing = engine.close()
    const watched = watch(closing)
    await turns(5)
    expect(watched.settled).toBe(false)
    reading.open()
    await closing
    expect(stored(file, 'SELECT count(*) FROM notes')).toEqual([1])
  })
})
